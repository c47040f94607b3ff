// Any bytes as a safetensors file.
#include <map>

#include "common/base/check.h"
#include "common/model/safetensors.h"
#include "tests/fuzz/harness.h"

namespace srlm {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto header = model::ParseSafetensorsHeader({reinterpret_cast<const std::byte*>(data), size});
  if (!header.ok()) {
    SRLM_CHECK(!header.status().message().empty(), "a failure without a message");
    return 0;
  }
  size_t bytes = 0;
  for (const auto& [name, tensor] : *header) {
    SRLM_CHECK(tensor.offset <= size && tensor.bytes <= size - tensor.offset, name);
    SRLM_CHECK(tensor.elements() >= 0 && static_cast<uint64_t>(tensor.elements()) <= tensor.bytes, name);
    bytes += tensor.bytes;
  }
  SRLM_CHECK(bytes <= size, "tensors overlap");

  static fuzz::MemoryFile file;
  const auto opened = model::SafetensorsFile::Open(file.Write(fuzz::Text(data, size)));
  SRLM_CHECK(opened.ok(), opened.status().message());
  for (const auto& [name, tensor] : opened->tensors()) {
    if (tensor.type == model::StoredType::kOther) continue;
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    opened->Read(name, values);
  }
  return 0;
}

}  // namespace srlm
