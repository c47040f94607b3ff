#include "common/rpc/credentials.h"

namespace srlm::rpc {

std::shared_ptr<grpc::ServerCredentials> ServerCredentials() { return grpc::InsecureServerCredentials(); }

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials() { return grpc::InsecureChannelCredentials(); }

}  // namespace srlm::rpc
