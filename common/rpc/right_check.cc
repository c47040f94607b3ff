#include "common/rpc/right_check.h"

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>

#include "common/rpc/certificate.h"

namespace srlm::rpc {
namespace {

std::string Text(const grpc::string_ref& text) { return {text.data(), text.size()}; }

}  // namespace

grpc::Status RightCheck::Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata*,
                                 OutputMetadata*) {
  const auto path = metadata.find(":path");
  const std::string method = path == metadata.end() ? "" : Text(path->second);
  const std::vector<grpc::string_ref> names = context->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  const Subject caller = names.size() == 1 ? SubjectFromName(Text(names.front())) : Subject{};
  const auto held = RightFromName(caller.role);
  if (!held || caller.run_id != run_id_)
    return {grpc::StatusCode::UNAUTHENTICATED, "the certificate names no right of run " + run_id_};
  const auto needed = rights_.find(method);
  if (needed == rights_.end())
    return {grpc::StatusCode::PERMISSION_DENIED, fmt::format("{}: no method that this server serves", method)};
  if (Includes(*held, needed->second)) return grpc::Status::OK;
  return {grpc::StatusCode::PERMISSION_DENIED, fmt::format("{} needs the right \"{}\", and these keys have \"{}\"",
                                                           method, RightName(needed->second), RightName(*held))};
}

}  // namespace srlm::rpc
