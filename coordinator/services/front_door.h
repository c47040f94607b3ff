// The server that a run is reached at: with its keys, at an address that others find.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/rpc/server.h"

namespace srlm::services {

struct FrontDoor {
  std::unique_ptr<rpc::Server> server;
  std::string advertised;  // host:port for coordinator.json
};

/// Serves at coordinator.address, as `security` says; with TLS it makes or renews the keys in RUN/secrets first.
/// `run_dir` is the run's and is claimed by this process.
Result<FrontDoor> OpenFrontDoor(const config::RunConfig& config, const std::string& run_dir, const std::string& run_id,
                                const std::vector<grpc::Service*>& services);

/// What callers on any host are told: `advertise` (a host, or host:port where the port is forwarded) when there is
/// one; where the server listens otherwise, with this host's name in place of "any address".
Result<std::string> AdvertisedAddress(const std::string& listening, const std::string& advertise);

}  // namespace srlm::services
