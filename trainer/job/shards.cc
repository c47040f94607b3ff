#include "trainer/job/shards.h"

#include <fmt/format.h>

#include <algorithm>

namespace srlm::trainer {

ShardLayout::Piece ShardLayout::PieceOf(const model::ParameterUnit& unit, int64_t shard) const {
  const int64_t each = shards * multiple;
  const int64_t size = (unit.elements + each - 1) / each * multiple;
  return {std::min(shard * size, unit.elements), std::min((shard + 1) * size, unit.elements)};
}

std::string ShardName(const std::string& values, int64_t shard, int64_t shards) {
  return fmt::format("{}-{:05}-of-{:05}", values, shard + 1, shards);
}

Result<ShardReader> ShardReader::Open(const std::string& checkpoint, const std::string& values,
                                      const ShardLayout& layout, const model::ParameterTable& table) {
  ShardReader reader(layout, table);
  for (int64_t shard = 0; shard < layout.shards; ++shard) {
    int64_t elements = 0;
    for (const model::ParameterUnit& unit : table.units) elements += layout.PieceOf(unit, shard).count();
    SRLM_ASSIGN_OR_RETURN(checkpoint::PartFile file,
                          checkpoint::PartFile::Open(checkpoint, ShardName(values, shard, layout.shards) + ".f32",
                                                     static_cast<size_t>(elements) * sizeof(float)));
    reader.files_.push_back(std::move(file));
  }
  return reader;
}

void ShardReader::Read(int64_t begin, std::span<float> out) const {
  std::ranges::fill(out, 0.0f);
  const int64_t end = begin + static_cast<int64_t>(out.size());
  for (size_t i = 0; i < table_->units.size(); ++i) {
    const model::ParameterUnit& unit = table_->units[i];
    const int64_t first = std::max(begin, unit.begin), last = std::min(end, unit.begin + unit.elements);
    if (first >= last) continue;
    ReadOfUnit(i, first - unit.begin,
               out.subspan(static_cast<size_t>(first - begin), static_cast<size_t>(last - first)));
  }
}

void ShardReader::ReadOfUnit(size_t unit, int64_t begin, std::span<float> out) const {
  const int64_t end = begin + static_cast<int64_t>(out.size());
  for (int64_t shard = 0; shard < layout_.shards; ++shard) {
    const ShardLayout::Piece piece = layout_.PieceOf(table_->units[unit], shard);
    const int64_t first = std::max(begin, piece.begin), last = std::min(end, piece.end);
    if (first >= last) continue;
    int64_t place = first - piece.begin;  // in the file
    for (size_t before = 0; before < unit; ++before) place += layout_.PieceOf(table_->units[before], shard).count();
    files_[static_cast<size_t>(shard)].Read(
        static_cast<size_t>(place) * sizeof(float),
        std::as_writable_bytes(out.subspan(static_cast<size_t>(first - begin), static_cast<size_t>(last - first))));
  }
}

}  // namespace srlm::trainer
