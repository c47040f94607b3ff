#include "common/model/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

namespace srlm::model {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors stores little-endian values");

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kLargestHeader = 100'000'000;  // the reference implementation's limit
constexpr int kDeepestHeader = 6;

struct TypeInfo {
  const char* name;
  StoredType type;
  size_t bytes;
};
constexpr TypeInfo kTypes[] = {
    {"F32", StoredType::kFloat32, 4}, {"F16", StoredType::kFloat16, 2},   {"BF16", StoredType::kBfloat16, 2},
    {"F64", StoredType::kOther, 8},   {"I64", StoredType::kOther, 8},     {"I32", StoredType::kOther, 4},
    {"I16", StoredType::kOther, 2},   {"I8", StoredType::kOther, 1},      {"U8", StoredType::kOther, 1},
    {"BOOL", StoredType::kOther, 1},  {"U16", StoredType::kOther, 2},     {"U32", StoredType::kOther, 4},
    {"U64", StoredType::kOther, 8},   {"F8_E4M3", StoredType::kOther, 1}, {"F8_E5M2", StoredType::kOther, 1},
};

/// Product of the dimensions times the type's size, or a failure when it does not fit.
Result<size_t> ShapeBytes(const std::string& name, const std::vector<int64_t>& shape, size_t element_bytes) {
  size_t bytes = element_bytes;
  for (const int64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(dimension), &bytes)) {
      return DataLoss(fmt::format("tensor '{}': its shape overflows", name));
    }
  }
  return bytes;
}

Result<StoredTensor> ParseTensor(const std::string& name, const json& entry, size_t data_begin, size_t data_bytes) {
  const auto fail = [&](std::string_view message) { return DataLoss(fmt::format("tensor '{}': {}", name, message)); };
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() || !entry.contains("shape") ||
      !entry["shape"].is_array() || !entry.contains("data_offsets") || !entry["data_offsets"].is_array() ||
      entry["data_offsets"].size() != 2) {
    return fail("dtype, shape and two data_offsets are wanted");
  }
  StoredTensor tensor;
  tensor.type_name = entry["dtype"].get<std::string>();
  const auto* type = std::ranges::find_if(kTypes, [&](const TypeInfo& info) { return tensor.type_name == info.name; });
  if (type == std::end(kTypes)) return fail(fmt::format("unknown dtype '{}'", tensor.type_name.substr(0, 20)));
  tensor.type = type->type;
  for (const json& dimension : entry["shape"]) {
    if (!dimension.is_number_unsigned() || dimension.get<uint64_t>() > (uint64_t{1} << 40)) {
      return fail("a dimension is not a sensible non-negative integer");
    }
    tensor.shape.push_back(dimension.get<int64_t>());
  }
  const json& offsets = entry["data_offsets"];
  if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) return fail("offsets are not integers");
  const uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > data_bytes) {
    return fail(
        fmt::format("its bytes {} to {} are not inside the file's {} (truncated file?)", begin, end, data_bytes));
  }
  SRLM_ASSIGN_OR_RETURN(const size_t wanted, ShapeBytes(name, tensor.shape, type->bytes));
  if (wanted != end - begin) return fail(fmt::format("its shape needs {} bytes, it has {}", wanted, end - begin));
  tensor.offset = data_begin + begin;
  tensor.bytes = end - begin;
  return tensor;
}

/// Tensors must cover the data from begin to end, each byte once.
Status CheckCoverage(const std::map<std::string, StoredTensor>& tensors, size_t data_begin, size_t file_bytes) {
  std::vector<const StoredTensor*> order;
  for (const auto& [name, tensor] : tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, [](const StoredTensor* t) { return std::pair(t->offset, t->bytes); });
  size_t at = data_begin;
  for (const StoredTensor* tensor : order) {
    if (tensor->offset != at) return DataLoss("tensors overlap or leave a gap between them");
    at += tensor->bytes;
  }
  if (at != file_bytes) return DataLoss(fmt::format("{} bytes at the end belong to no tensor", file_bytes - at));
  return OkStatus();
}

float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 31u, mantissa = half & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float value = static_cast<float>(mantissa) * 0x1.0p-24f;  // subnormal
  return sign != 0 ? -value : value;
}

/// out.size() stored values as float32.
void Convert(StoredType type, const std::byte* from, std::span<float> out) {
  if (type == StoredType::kFloat32) {
    std::memcpy(out.data(), from, out.size_bytes());
    return;
  }
  SRLM_CHECK(type != StoredType::kOther, "a stored type that is not read");
  const bool half = type == StoredType::kFloat16;
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, from + 2 * i, 2);
    out[i] = half ? HalfToFloat(bits) : std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
}

}  // namespace

int64_t StoredTensor::elements() const {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}

Result<std::map<std::string, StoredTensor>> ParseSafetensorsHeader(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) return DataLoss("not a safetensors file: shorter than its header length");
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kLargestHeader) return DataLoss(fmt::format("a header of {} bytes is not believable", length));
  if (length > file.size() - kLengthBytes) {
    return DataLoss(
        fmt::format("truncated: the header should have {} bytes, the file has {} in all", length, file.size()));
  }
  const char* text = reinterpret_cast<const char*>(file.data()) + kLengthBytes;
  bool repeated = false, deep = false;
  std::vector<std::string> names;
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& parsed) {
    deep |= depth > kDeepestHeader;
    if (event == json::parse_event_t::key && depth == 1) names.push_back(parsed.get<std::string>());
    return depth <= kDeepestHeader;
  };
  const json header = json::parse(text, text + length, watch, false);
  if (header.is_discarded() || !header.is_object() || deep)
    return DataLoss("the header is not the JSON object it should be");
  std::ranges::sort(names);
  repeated = std::ranges::adjacent_find(names) != names.end();
  if (repeated) return DataLoss("the header names a tensor twice");

  const size_t data_begin = kLengthBytes + length;
  std::map<std::string, StoredTensor> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    SRLM_ASSIGN_OR_RETURN(StoredTensor tensor, ParseTensor(name, entry, data_begin, file.size() - data_begin));
    tensors.emplace(name, std::move(tensor));
  }
  SRLM_RETURN_IF_ERROR(CheckCoverage(tensors, data_begin, file.size()));
  return tensors;
}

Result<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  auto tensors = ParseSafetensorsHeader({mapped.data(), mapped.size()});
  if (!tensors.ok()) return tensors.status().WithContext(path);
  SafetensorsFile file(path, std::move(mapped));
  file.tensors_ = std::move(tensors).value();
  return file;
}

void SafetensorsFile::Read(const std::string& name, std::span<float> out) const {
  SRLM_CHECK(static_cast<int64_t>(out.size()) == tensors_.at(name).elements(), name);
  ReadFrom(name, 0, out);
}

void SafetensorsFile::ReadFrom(const std::string& name, int64_t first, std::span<float> out) const {
  const StoredTensor& tensor = tensors_.at(name);
  SRLM_CHECK(first >= 0 && first + static_cast<int64_t>(out.size()) <= tensor.elements(), name);
  if (out.empty()) return;
  const size_t element_bytes = tensor.bytes / static_cast<size_t>(tensor.elements());
  const size_t begin = tensor.offset + static_cast<size_t>(first) * element_bytes;
  Convert(tensor.type, file_.data() + begin, out);
  file_.Release(begin, out.size() * element_bytes);
}

void SafetensorsFile::Read(const std::string& name, const Slice& slice, std::span<float> out) const {
  const StoredTensor& tensor = tensors_.at(name);
  SRLM_CHECK(tensor.shape.size() == 2 && slice.row + slice.rows <= tensor.shape[0] &&
                 slice.column + slice.columns <= tensor.shape[1] &&
                 static_cast<int64_t>(out.size()) == slice.rows * slice.columns,
             name);
  if (out.empty()) return;
  const auto width = static_cast<size_t>(tensor.shape[1]), columns = static_cast<size_t>(slice.columns);
  const size_t element_bytes = tensor.bytes / static_cast<size_t>(tensor.elements());
  const size_t first = tensor.offset + static_cast<size_t>(slice.row) * width * element_bytes;
  for (size_t row = 0; row < static_cast<size_t>(slice.rows); ++row) {
    const size_t at = first + (row * width + static_cast<size_t>(slice.column)) * element_bytes;
    Convert(tensor.type, file_.data() + at, out.subspan(row * columns, columns));
  }
  file_.Release(first, static_cast<size_t>(slice.rows) * width * element_bytes);
}

}  // namespace srlm::model
