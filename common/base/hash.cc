#include "common/base/hash.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace srlm {

struct Sha256Stream::Digest {
  Digest() : context(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    SRLM_CHECK(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1, "OpenSSL has no SHA-256");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context;
};

Sha256Stream::Sha256Stream() : digest_(std::make_unique<Digest>()) {}
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Add(std::string_view bytes) { EVP_DigestUpdate(digest_->context.get(), bytes.data(), bytes.size()); }

std::string Sha256Stream::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(digest_->context.get(), digest, &length);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

std::string Sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.Add(bytes);
  return stream.Finish();
}

Result<std::string> Sha256File(const std::string& path, const std::function<void()>& progress) {
  std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return NotFound(path + ": " + std::strerror(errno));
  Sha256Stream stream;
  std::vector<char> buffer(1 << 20);
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    stream.Add({buffer.data(), count});
    progress();
  }
  if (std::ferror(file.get())) return DataLoss(path + ": " + std::strerror(errno));
  return stream.Finish();
}

std::string Sha256Tokens(std::span<const int> token_ids) {
  static_assert(sizeof(int) == 4);
  return Sha256({reinterpret_cast<const char*>(token_ids.data()), token_ids.size_bytes()});
}

}  // namespace srlm
