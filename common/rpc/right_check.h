// The right of every call, asked before the method is looked for: nothing that a server serves goes past it.
#pragma once

#include <grpcpp/security/auth_metadata_processor.h>

#include <string>

#include "common/rpc/right.h"

namespace srlm::rpc {

class RightCheck final : public grpc::AuthMetadataProcessor {
 public:
  RightCheck(std::string run_id, MethodRights rights) : run_id_(std::move(run_id)), rights_(std::move(rights)) {}

  bool IsBlocking() const override { return false; }
  /// UNAUTHENTICATED for a certificate that names no right or another run, PERMISSION_DENIED when its right is not the
  /// method's.
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                       OutputMetadata* response) override;

 private:
  std::string run_id_;
  MethodRights rights_;
};

}  // namespace srlm::rpc
