// How a checkpoint's values stand in files: one file a kind of value and a rank that wrote it, read at any number of
// ranks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/checkpoint/checkpoint.h"
#include "common/model/parameters.h"

namespace srlm::trainer {

/// Every unit of a table divided into pieces, one a shard: a shard's file has its piece of every unit one after the
/// other, without the room behind the last parameter.
struct ShardLayout {
  int64_t shards = 1;
  int64_t multiple = 1;  // elements of a piece: a multiple of it

  /// Elements of the unit that are in the shard: [begin, end) from the unit's begin.
  struct Piece {
    int64_t begin = 0, end = 0;
    int64_t count() const { return end - begin; }
  };
  Piece PieceOf(const model::ParameterUnit& unit, int64_t shard) const;
};

/// `weights-00001-of-00004`, without the type.
std::string ShardName(const std::string& values, int64_t shard, int64_t shards);

/// One kind of value, such as "weights", of a checkpoint that was verified.
class ShardReader {
 public:
  /// InvalidArgument when the files are another model's. Borrows the table, which may be one of other ranks than those
  /// that wrote: its units have the same parameters.
  static Result<ShardReader> Open(const std::string& checkpoint, const std::string& values, const ShardLayout& layout,
                                  const model::ParameterTable& table);
  /// Elements [begin, begin + out.size()) of the table's flat buffer; those of no parameter become 0.
  void Read(int64_t begin, std::span<float> out) const;

 private:
  ShardReader(const ShardLayout& layout, const model::ParameterTable& table) : layout_(layout), table_(&table) {}
  void ReadOfUnit(size_t unit, int64_t begin, std::span<float> out) const;

  ShardLayout layout_;
  const model::ParameterTable* table_;
  std::vector<checkpoint::PartFile> files_;
};

}  // namespace srlm::trainer
