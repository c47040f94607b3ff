// X.509 certificates of a run's own authority: EC P-256, signed with SHA-256. All texts are PEM.
#pragma once

#include <chrono>
#include <string>

#include "common/base/status.h"

namespace srlm::rpc {

/// A private key and the certificate of its public half.
struct Identity {
  std::string key;
  std::string certificate;
};

/// Who a certificate is about: the common name is `role@run_id`.
struct Subject {
  std::string run_id;
  std::string role;  // "authority", "server", or a right
};

/// What a certificate says, as far as we look.
struct CertificateFacts {
  Subject subject;
  int64_t ends_ms = 0;  // since 1970
};

/// A new private key.
Result<std::string> NewKey();

/// An authority that signs its own certificate.
Result<Identity> NewAuthority(const std::string& run_id);

/// A certificate for `key`, signed by `authority`: for serving under the name run_id when the role is "server", for
/// calling a server otherwise. It is valid from a day ago, as clocks of hosts differ, and for `lifetime` from now
/// (negative: it has expired). DataLoss when a PEM cannot be read.
Result<std::string> IssueCertificate(const Identity& authority, const std::string& key, const Subject& subject,
                                     std::chrono::seconds lifetime);

/// DataLoss when `certificate` is no certificate of a run.
Result<CertificateFacts> ReadCertificate(const std::string& certificate);

/// The subject of a common name; nothing in it when it is no `role@run_id`.
Subject SubjectFromName(const std::string& common_name);

/// Whether `certificate` is of the public half of `key`.
bool Match(const Identity& identity);

}  // namespace srlm::rpc
