#include "common/rpc/certificate.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <utility>
#include <vector>

namespace srlm::rpc {
namespace {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free>>;
using Serial = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

constexpr std::chrono::seconds kClockSkew = std::chrono::days(1);
constexpr std::chrono::seconds kAuthorityLifetime = std::chrono::years(20);

/// The library's reason is a code for programmers; the caller says what was being done.
Status LibraryError(std::string_view doing) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return InternalError(fmt::format("cannot {}: {}", doing, reason == nullptr ? "OpenSSL gives no reason" : reason));
}

std::string Content(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<size_t>(size)};
}

Memory Reader(const std::string& text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// No pass phrase is asked for: an encrypted key is not ours.
int NoPassPhrase(char*, int, int, void*) { return -1; }

Result<Key> ParseKey(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassPhrase, nullptr));
  if (key != nullptr) return key;
  ERR_clear_error();
  return DataLoss("not a private key in PEM");
}

Result<Certificate> ParseCertificate(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(Reader(pem).get(), nullptr, NoPassPhrase, nullptr));
  if (certificate != nullptr) return certificate;
  ERR_clear_error();
  return DataLoss("not a certificate in PEM");
}

bool SetSerial(X509* certificate) {
  const Serial serial(BN_new());
  constexpr int kBits = 127;  // at most 20 bytes, and positive
  return serial && BN_rand(serial.get(), kBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetValidity(X509* certificate, std::chrono::seconds lifetime) {
  const std::time_t now = std::time(nullptr);
  const std::chrono::seconds begin = std::min(-kClockSkew, lifetime - kClockSkew);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), now + begin.count()) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), now + lifetime.count()) != nullptr;
}

bool AddName(X509_NAME* name, const Subject& subject) {
  const std::string text = fmt::format("{}@{}", subject.role, subject.run_id);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

using Extensions = std::vector<std::pair<int, std::string>>;

bool AddExtensions(X509* certificate, X509* issuer, const Extensions& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [id, value] : extensions) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
    if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

/// `issuer` null: it signs itself.
Result<std::string> Sign(EVP_PKEY* key, const Subject& subject, X509* issuer, EVP_PKEY* issuer_key,
                         std::chrono::seconds lifetime, const Extensions& extensions) {
  const Certificate certificate(X509_new());
  X509* const c = certificate.get();
  if (c == nullptr || X509_set_version(c, X509_VERSION_3) != 1 || !SetSerial(c) || !SetValidity(c, lifetime) ||
      !AddName(X509_get_subject_name(c), subject) ||
      X509_set_issuer_name(c, X509_get_subject_name(issuer == nullptr ? c : issuer)) != 1 ||
      X509_set_pubkey(c, key) != 1 || !AddExtensions(c, issuer == nullptr ? c : issuer, extensions) ||
      X509_sign(c, issuer_key, EVP_sha256()) == 0)
    return LibraryError(fmt::format("make the certificate {}@{}", subject.role, subject.run_id));
  const Memory memory(BIO_new(BIO_s_mem()));
  if (memory == nullptr || PEM_write_bio_X509(memory.get(), c) != 1) return LibraryError("write a certificate");
  return Content(memory.get());
}

Result<int64_t> Milliseconds(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return DataLoss("a certificate without a time");
  return int64_t{timegm(&utc)} * 1000;
}

}  // namespace

Result<std::string> NewKey() {
  const Key key(EVP_EC_gen("P-256"));
  const Memory memory(BIO_new(BIO_s_mem()));
  if (key == nullptr || memory == nullptr ||
      PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return LibraryError("make a key");
  return Content(memory.get());
}

Result<Identity> NewAuthority(const std::string& run_id) {
  Identity authority;
  SRLM_ASSIGN_OR_RETURN(authority.key, NewKey());
  SRLM_ASSIGN_OR_RETURN(const Key key, ParseKey(authority.key));
  SRLM_ASSIGN_OR_RETURN(authority.certificate,
                        Sign(key.get(), {run_id, "authority"}, nullptr, key.get(), kAuthorityLifetime,
                             {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                              {NID_key_usage, "critical,keyCertSign,cRLSign"},
                              {NID_subject_key_identifier, "hash"}}));
  return authority;
}

Result<std::string> IssueCertificate(const Identity& authority, const std::string& key, const Subject& subject,
                                     std::chrono::seconds lifetime) {
  SRLM_ASSIGN_OR_RETURN(const Key issuer_key, ParseKey(authority.key));
  SRLM_ASSIGN_OR_RETURN(const Certificate issuer, ParseCertificate(authority.certificate));
  SRLM_ASSIGN_OR_RETURN(const Key own_key, ParseKey(key));
  // Whoever may call the server must not be able to pose as it.
  const bool serves = subject.role == "server";
  Extensions extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                           {NID_key_usage, "critical,digitalSignature"},
                           {NID_ext_key_usage, serves ? "serverAuth" : "clientAuth"},
                           {NID_authority_key_identifier, "keyid"}};
  if (serves) extensions.emplace_back(NID_subject_alt_name, "DNS:" + subject.run_id);
  return Sign(own_key.get(), subject, issuer.get(), issuer_key.get(), lifetime, extensions);
}

Result<CertificateFacts> ReadCertificate(const std::string& certificate) {
  SRLM_ASSIGN_OR_RETURN(const Certificate parsed, ParseCertificate(certificate));
  char name[128] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(parsed.get()), NID_commonName, name, sizeof name);
  CertificateFacts facts{.subject = SubjectFromName(name)};
  if (facts.subject.run_id.empty()) return DataLoss("a certificate of no run");
  SRLM_ASSIGN_OR_RETURN(facts.ends_ms, Milliseconds(X509_get0_notAfter(parsed.get())));
  return facts;
}

Subject SubjectFromName(const std::string& common_name) {
  const size_t at = common_name.find('@');
  if (at == std::string::npos || at == 0) return {};
  return {.run_id = common_name.substr(at + 1), .role = common_name.substr(0, at)};
}

bool Match(const Identity& identity) {
  const auto key = ParseKey(identity.key);
  const auto certificate = ParseCertificate(identity.certificate);
  return key.ok() && certificate.ok() && X509_check_private_key(certificate->get(), key->get()) == 1;
}

}  // namespace srlm::rpc
