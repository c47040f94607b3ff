#include "coordinator/services/front_door.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/rpc/address.h"
#include "coordinator/services/method_rights.h"

namespace srlm::services {
namespace {

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

Result<std::string> AdvertisedAddress(const std::string& listening, const std::string& advertise) {
  SRLM_ASSIGN_OR_RETURN(rpc::Address address, rpc::ParseAddress(listening));
  if (advertise.empty()) {
    if (address.host == "0.0.0.0" || address.host == "::") address.host = HostName();
    return address.Text();
  }
  const bool bare_ipv6 = std::ranges::count(advertise, ':') > 1 && !advertise.starts_with('[');
  if (auto whole = rpc::ParseAddress(advertise); whole.ok() && whole->port > 0 && !bare_ipv6) return whole->Text();
  address.host = advertise;
  return address.Text();
}

Result<FrontDoor> OpenFrontDoor(const config::RunConfig& config, const std::string& run_dir, const std::string& run_id,
                                const std::vector<grpc::Service*>& services) {
  std::optional<rpc::ServerSecurity> security;
  if (config.security == config::Security::kTls) {
    SRLM_ASSIGN_OR_RETURN(rpc::ServerKeys keys, rpc::PrepareSecrets(run_dir, run_id));
    security = rpc::ServerSecurity{std::move(keys), MethodRightsOfRun()};
  }
  FrontDoor door;
  SRLM_ASSIGN_OR_RETURN(door.server, rpc::Server::Start(config.coordinator.address, services, std::move(security)));
  SRLM_ASSIGN_OR_RETURN(door.advertised, AdvertisedAddress(door.server->address(), config.coordinator.advertise));
  return door;
}

}  // namespace srlm::services
