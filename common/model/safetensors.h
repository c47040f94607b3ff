// The safetensors format: an eight-byte header length, a JSON header, then the tensors' bytes. Nothing in a header
// is believed before it is checked against the file.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/status.h"

namespace srlm::model {

enum class StoredType { kFloat32, kFloat16, kBfloat16, kOther };

/// One tensor of a file: where its bytes are.
struct StoredTensor {
  StoredType type = StoredType::kOther;
  std::string type_name;  // as the header says: "F32", ...
  std::vector<int64_t> shape;
  size_t offset = 0;  // from the file's begin
  size_t bytes = 0;
  int64_t elements() const;
};

/// A block of a matrix [rows, columns].
struct Slice {
  int64_t row = 0;
  int64_t rows = 0;
  int64_t column = 0;
  int64_t columns = 0;
};

/// A mapped safetensors file whose header has been checked whole: lengths, types, shapes, sizes, no overlap, no bytes
/// that belong to nobody.
class SafetensorsFile {
 public:
  static Result<SafetensorsFile> Open(const std::string& path);

  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  const std::string& path() const { return path_; }

  /// Copies a tensor as float32 into `out` (elements() long), converting from bfloat16 and float16, and lets the
  /// system drop the pages it came from. The name must be in tensors() and its type not kOther.
  void Read(const std::string& name, std::span<float> out) const;

  /// The same for a block of a matrix; `out` is [slice.rows, slice.columns].
  void Read(const std::string& name, const Slice& slice, std::span<float> out) const;

  /// The same for elements [first, first + out.size()), row after row.
  void ReadFrom(const std::string& name, int64_t first, std::span<float> out) const;

 private:
  SafetensorsFile(std::string path, MappedFile file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;
  MappedFile file_;
  std::map<std::string, StoredTensor> tensors_;
};

/// The header's check by itself, over the bytes of a whole file (for tests and fuzzing).
Result<std::map<std::string, StoredTensor>> ParseSafetensorsHeader(std::span<const std::byte> file);

}  // namespace srlm::model
