#include "tests/coordinator/services/any_call.h"

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "common/rpc/channel.h"

namespace srlm::services {
namespace {

/// One step of the call; whether it succeeded.
class Steps {
 public:
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;  // the call's deadline ends it
  }
  grpc::CompletionQueue& queue() { return queue_; }
  ~Steps() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

 private:
  grpc::CompletionQueue queue_;
};

}  // namespace

grpc::Status CallAny(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, double seconds) {
  Steps steps;
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  rpc::SetDeadline(context, seconds);
  const auto call = stub.PrepareCall(&context, method, &steps.queue());
  const grpc::Slice nothing;
  const grpc::ByteBuffer request(&nothing, 1);
  grpc::ByteBuffer answer;
  call->StartCall(nullptr);
  bool answered = steps.Await();
  if (answered) {
    call->WriteLast(request, grpc::WriteOptions(), nullptr);
    answered = steps.Await();
  }
  if (answered) {
    call->Read(&answer, nullptr);
    answered = steps.Await();
  }
  if (answered) context.TryCancel();  // a stream may have more
  grpc::Status status;
  call->Finish(&status, nullptr);
  steps.Await();
  return answered ? grpc::Status::OK : status;
}

}  // namespace srlm::services
