#include "common/base/hash.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace srlm {
namespace {

class Sha256Digest {
 public:
  Sha256Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    SRLM_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "OpenSSL has no SHA-256");
  }
  void Update(const void* bytes, size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &length);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < length; ++i) {
      hex += kDigits[digest[i] >> 4];
      hex += kDigits[digest[i] & 15];
    }
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string Sha256(std::string_view bytes) {
  Sha256Digest digest;
  digest.Update(bytes.data(), bytes.size());
  return digest.Hex();
}

Result<std::string> Sha256File(const std::string& path, const std::function<void()>& progress) {
  std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return NotFound(path + ": " + std::strerror(errno));
  Sha256Digest digest;
  std::vector<char> buffer(1 << 20);
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    digest.Update(buffer.data(), count);
    progress();
  }
  if (std::ferror(file.get())) return DataLoss(path + ": " + std::strerror(errno));
  return digest.Hex();
}

std::string Sha256Tokens(std::span<const int> token_ids) {
  static_assert(sizeof(int) == 4);
  return Sha256({reinterpret_cast<const char*>(token_ids.data()), token_ids.size_bytes()});
}

}  // namespace srlm
