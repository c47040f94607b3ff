#include "common/rpc/run_secrets.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/rpc/private_file.h"

namespace srlm::rpc {
namespace {

constexpr char kAuthorityFile[] = "ca.crt", kCertificateFile[] = "client.crt", kKeyFile[] = "client.key";

/// Who may replace RUN/secrets could have it say what they like.
Status CheckRunFolder(const std::string& run_dir) {
  struct stat info{};
  if (stat(run_dir.c_str(), &info) != 0) return FileError("look at", run_dir, errno);
  if ((info.st_mode & S_IWOTH) == 0) return OkStatus();
  return FailedPrecondition(
      fmt::format("{}: everybody may write to this run's folder, so that keys in it protect "
                  "nothing; `chmod o-w {}`",
                  run_dir, run_dir));
}

/// Key and certificate lie in one file, so that they are replaced as one.
Result<Identity> OpenAuthority(const std::string& folder, const std::string& run_id) {
  const std::string path = folder + "/ca.pem";
  if (access(path.c_str(), F_OK) == 0) {
    SRLM_RETURN_IF_ERROR(CheckPrivate(path));
    SRLM_ASSIGN_OR_RETURN(const std::string both, ReadFile(path));
    const Identity authority{.key = both, .certificate = both};  // a PEM reader skips blocks of other kinds
    if (Match(authority)) {
      const auto facts = ReadCertificate(both);
      if (facts.ok() && facts->subject.run_id == run_id)
        return Identity{.key = both, .certificate = both.substr(both.find("-----BEGIN CERTIFICATE-----"))};
    }
    return DataLoss(
        fmt::format("{}: not the authority of run {}; delete the whole secrets folder, and the next start "
                    "makes new keys",
                    path, run_id));
  }
  SRLM_ASSIGN_OR_RETURN(Identity authority, NewAuthority(run_id));
  SRLM_RETURN_IF_ERROR(WritePrivateFile(path, authority.key + authority.certificate));
  return authority;
}

/// The key stays while there is one, so that a reader never finds one that the certificate does not match.
Status Renew(const std::string& folder, const Identity& authority, const Subject& subject,
             std::chrono::seconds lifetime) {
  SRLM_RETURN_IF_ERROR(MakePrivateFolder(folder));
  const std::string key_path = folder + "/" + kKeyFile;
  std::string key;
  if (access(key_path.c_str(), F_OK) == 0) {
    SRLM_RETURN_IF_ERROR(CheckPrivate(key_path));
    SRLM_ASSIGN_OR_RETURN(key, ReadFile(key_path));
  } else {
    SRLM_ASSIGN_OR_RETURN(key, NewKey());
    SRLM_RETURN_IF_ERROR(WritePrivateFile(key_path, key));
  }
  const auto certificate = IssueCertificate(authority, key, subject, lifetime);
  if (!certificate.ok()) return certificate.status().WithContext(key_path);
  SRLM_RETURN_IF_ERROR(WritePrivateFile(folder + "/" + kAuthorityFile, authority.certificate));
  return WritePrivateFile(folder + "/" + kCertificateFile, *certificate);
}

}  // namespace

std::string SecretsFolder(const std::string& run_dir, Right right) {
  return fmt::format("{}/secrets/{}", run_dir, RightName(right));
}

Result<ServerKeys> PrepareSecrets(const std::string& run_dir, const std::string& run_id,
                                  std::chrono::seconds lifetime) {
  SRLM_RETURN_IF_ERROR(CheckRunFolder(run_dir));
  const std::string secrets = run_dir + "/secrets";
  SRLM_RETURN_IF_ERROR(MakePrivateFolder(secrets));
  SRLM_RETURN_IF_ERROR(MakePrivateFolder(secrets + "/authority"));
  SRLM_ASSIGN_OR_RETURN(const Identity authority, OpenAuthority(secrets + "/authority", run_id));
  for (const Right right : kRights)
    SRLM_RETURN_IF_ERROR(
        Renew(SecretsFolder(run_dir, right), authority, {run_id, std::string(RightName(right))}, lifetime));
  ServerKeys keys{.run_id = run_id, .authority_certificate = authority.certificate, .server = {}};
  SRLM_ASSIGN_OR_RETURN(keys.server.key, NewKey());
  SRLM_ASSIGN_OR_RETURN(keys.server.certificate,
                        IssueCertificate(authority, keys.server.key, {run_id, "server"}, lifetime));
  return keys;
}

Result<ClientKeys> ReadKeys(const std::string& folder) {
  if (access(folder.c_str(), R_OK | X_OK) != 0)
    return NotFound(
        fmt::format("{}: no keys that this user may read: {}; whoever started the run can give a copy of "
                    "that folder",
                    folder, std::strerror(errno)));
  SRLM_RETURN_IF_ERROR(CheckPrivate(folder));
  const std::string key_path = folder + "/" + kKeyFile;
  SRLM_RETURN_IF_ERROR(CheckPrivate(key_path));
  ClientKeys keys{.folder = folder, .run_id = "", .authority_certificate = "", .client = {}};
  SRLM_ASSIGN_OR_RETURN(keys.authority_certificate, ReadFile(folder + "/" + kAuthorityFile));
  SRLM_ASSIGN_OR_RETURN(keys.client.certificate, ReadFile(folder + "/" + kCertificateFile));
  SRLM_ASSIGN_OR_RETURN(keys.client.key, ReadFile(key_path));
  const auto facts = ReadCertificate(keys.client.certificate);
  if (!facts.ok() || !Match(keys.client))
    return DataLoss(folder + ": client.key and client.crt are not a pair of keys of a run; copy the folder again");
  if (facts->ends_ms < WallClockMs())
    return FailedPrecondition(
        fmt::format("{}: client.crt has expired; the run's coordinator renews it in RUN/secrets when it "
                    "starts, so start it again, and copy the folder again where it is a copy",
                    folder));
  keys.run_id = facts->subject.run_id;
  return keys;
}

}  // namespace srlm::rpc
