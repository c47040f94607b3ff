// RUN/secrets: the keys of a run, made by its coordinator.
//
//   authority/              what signs: key and certificate of the run's own authority, for the coordinator alone
//   read/ steer/ work/      a folder a right: ca.crt (the authority's certificate), client.crt, client.key
//
// Folders have mode 0700 and files 0600: the permissions are the access list, and nothing else gives a right.
#pragma once

#include <chrono>
#include <string>

#include "common/base/status.h"
#include "common/rpc/certificate.h"
#include "common/rpc/right.h"

namespace srlm::rpc {

/// How long a certificate is valid after the start of the coordinator that made it.
inline constexpr std::chrono::seconds kCertificateLifetime = std::chrono::days(365);

/// What a server of a run shows, and whom it believes.
struct ServerKeys {
  std::string run_id;
  std::string authority_certificate;
  Identity server;
};

/// What a caller shows, and whom it believes.
struct ClientKeys {
  std::string folder;  // where they were read
  std::string run_id;  // named by the certificate
  std::string authority_certificate;
  Identity client;
};

/// RUN/secrets/<right>.
std::string SecretsFolder(const std::string& run_dir, Right right);

/// For the run's owner, at its start: makes what is missing of RUN/secrets, renews the certificates of all rights
/// (their keys stay, as does the authority) and gives the server's, which is made anew each time and lies in no file.
/// FailedPrecondition, with what to do, when a folder of the run has permissions with which the keys are no secret.
Result<ServerKeys> PrepareSecrets(const std::string& run_dir, const std::string& run_id,
                                  std::chrono::seconds lifetime = kCertificateLifetime);

/// The keys in a folder as PrepareSecrets makes them, or a copy of one. NotFound when they are not there or not
/// readable by this user; FailedPrecondition when others may read them or when they have expired.
Result<ClientKeys> ReadKeys(const std::string& folder);

}  // namespace srlm::rpc
