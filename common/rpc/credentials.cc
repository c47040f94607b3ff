#include "common/rpc/credentials.h"

#include "common/rpc/right_check.h"

namespace srlm::rpc {

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const std::optional<ServerSecurity>& security) {
  if (!security) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = security->keys.authority_certificate;
  options.pem_key_cert_pairs = {{security->keys.server.key, security->keys.server.certificate}};
  auto credentials = grpc::SslServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<RightCheck>(security->keys.run_id, security->rights));
  return credentials;
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const std::optional<ClientKeys>& keys) {
  if (!keys) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({keys->authority_certificate, keys->client.key, keys->client.certificate});
}

}  // namespace srlm::rpc
