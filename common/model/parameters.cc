#include "common/model/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/json_file.h"

namespace srlm::model {
namespace {

namespace fs = std::filesystem;

/// Appends parameters to a table, each right after the one before.
class TableBuilder {
 public:
  TableBuilder(ParameterTable& table, int64_t unit_multiple) : table_(table), unit_multiple_(unit_multiple) {}
  int Add(std::string name, std::vector<int64_t> shape) {
    int64_t elements = 1;
    for (const int64_t dimension : shape) elements *= dimension;
    const bool decays = shape.size() > 1;
    table_.parameters.push_back({std::move(name), std::move(shape), table_.total_elements, elements, decays});
    table_.total_elements += elements;
    return static_cast<int>(table_.parameters.size()) - 1;
  }
  /// What was added since the unit before is one.
  void EndUnit() {
    const int64_t begin = table_.units.empty() ? 0 : table_.units.back().begin + table_.units.back().room;
    const int64_t elements = table_.total_elements - begin;
    const int64_t room = (elements + unit_multiple_ - 1) / unit_multiple_ * unit_multiple_;
    table_.units.push_back({begin, elements, room});
    table_.total_elements = begin + room;
  }

 private:
  ParameterTable& table_;
  int64_t unit_multiple_;
};

/// The names of the weight files: one, or those of the index.
Result<std::vector<std::string>> WeightFileNames(const std::string& folder) {
  if (fs::exists(folder + "/model.safetensors")) return std::vector<std::string>{"model.safetensors"};
  const std::string path = folder + "/model.safetensors.index.json";
  if (!fs::exists(path)) {
    return NotFound(folder + ": neither model.safetensors nor model.safetensors.index.json is there");
  }
  SRLM_ASSIGN_OR_RETURN(const nlohmann::json index, ReadJsonObject(path));
  if (!index.contains("weight_map") || !index["weight_map"].is_object()) {
    return InvalidArgument(path + ": a JSON object with a 'weight_map' is wanted");
  }
  std::set<std::string> names;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string()) return InvalidArgument(fmt::format("{}: the file of '{}' is not a text", path, tensor));
    const auto name = file.get<std::string>();
    if (name.find('/') != std::string::npos || !name.ends_with(".safetensors")) {
      return InvalidArgument(fmt::format("{}: '{}' is not the name of a safetensors file in this folder", path, name));
    }
    names.insert(name);
  }
  if (names.empty()) return InvalidArgument(path + ": the 'weight_map' is empty");
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

ParameterTable MakeParameterTable(const ModelConfig& config, int64_t unit_multiple) {
  ParameterTable table;
  TableBuilder add(table, unit_multiple);
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  table.embedding = add.Add("model.embed_tokens.weight", {config.vocabulary_size, hidden});
  add.EndUnit();
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    BlockParameters block;
    block.input_norm = add.Add(prefix + "input_layernorm.weight", {hidden});
    block.q = add.Add(prefix + "self_attn.q_proj.weight", {config.query_size(), hidden});
    block.k = add.Add(prefix + "self_attn.k_proj.weight", {config.kv_size(), hidden});
    block.v = add.Add(prefix + "self_attn.v_proj.weight", {config.kv_size(), hidden});
    if (config.qkv_bias) {
      block.q_bias = add.Add(prefix + "self_attn.q_proj.bias", {config.query_size()});
      block.k_bias = add.Add(prefix + "self_attn.k_proj.bias", {config.kv_size()});
      block.v_bias = add.Add(prefix + "self_attn.v_proj.bias", {config.kv_size()});
    }
    if (config.head_norms) {
      block.q_norm = add.Add(prefix + "self_attn.q_norm.weight", {config.head_dim});
      block.k_norm = add.Add(prefix + "self_attn.k_norm.weight", {config.head_dim});
    }
    block.o = add.Add(prefix + "self_attn.o_proj.weight", {hidden, config.query_size()});
    if (config.part_norms) {
      block.attention_norm = add.Add(prefix + "post_attention_layernorm.weight", {hidden});
      block.middle_norm = add.Add(prefix + "pre_feedforward_layernorm.weight", {hidden});
    } else {
      block.middle_norm = add.Add(prefix + "post_attention_layernorm.weight", {hidden});
    }
    block.gate = add.Add(prefix + "mlp.gate_proj.weight", {inner, hidden});
    block.up = add.Add(prefix + "mlp.up_proj.weight", {inner, hidden});
    block.down = add.Add(prefix + "mlp.down_proj.weight", {hidden, inner});
    if (config.part_norms) block.mlp_norm = add.Add(prefix + "post_feedforward_layernorm.weight", {hidden});
    table.blocks.push_back(block);
    add.EndUnit();
  }
  table.final_norm = add.Add("model.norm.weight", {hidden});
  table.lm_head =
      config.tied_embeddings ? table.embedding : add.Add("lm_head.weight", {config.vocabulary_size, hidden});
  add.EndUnit();
  return table;
}

Result<WeightFiles> WeightFiles::Open(const std::string& folder, const ParameterTable& table) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, WeightFileNames(folder));
  WeightFiles weights;
  for (const std::string& name : names) {
    SRLM_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(folder + "/" + name));
    weights.files_.push_back(std::move(file));
  }
  for (const Parameter& parameter : table.parameters) {
    const StoredTensor* stored = nullptr;
    const std::string* where = nullptr;
    for (const SafetensorsFile& file : weights.files_) {
      const auto found = file.tensors().find(parameter.name);
      if (found == file.tensors().end()) continue;
      if (stored != nullptr) {
        return InvalidArgument(fmt::format("{}: tensor '{}' stands in {} too", file.path(), parameter.name, *where));
      }
      stored = &found->second;
      where = &file.path();
    }
    if (stored == nullptr) {
      return InvalidArgument(fmt::format("{}: tensor '{}' is missing", weights.files_.front().path(), parameter.name));
    }
    if (stored->shape != parameter.shape) {
      return InvalidArgument(fmt::format("{}: tensor '{}' has shape [{}], config.json asks for [{}]", *where,
                                         parameter.name, fmt::join(stored->shape, ", "),
                                         fmt::join(parameter.shape, ", ")));
    }
    if (stored->type == StoredType::kOther) {
      return InvalidArgument(fmt::format("{}: tensor '{}' is {}; F32, F16 and BF16 can be read", *where, parameter.name,
                                         stored->type_name));
    }
  }
  return weights;
}

const SafetensorsFile& WeightFiles::FileOf(const Parameter& parameter) const {
  const auto file = std::ranges::find_if(
      files_, [&](const SafetensorsFile& each) { return each.tensors().contains(parameter.name); });
  SRLM_CHECK(file != files_.end(), parameter.name);
  return *file;
}

void WeightFiles::Read(const Parameter& parameter, std::span<float> out) const {
  FileOf(parameter).Read(parameter.name, out);
}

void WeightFiles::Read(const Parameter& parameter, const Slice& slice, std::span<float> out) const {
  FileOf(parameter).Read(parameter.name, slice, out);
}

void WeightFiles::ReadRange(const ParameterTable& table, int64_t begin, std::span<float> out) const {
  const int64_t end = begin + static_cast<int64_t>(out.size());
  int64_t done = begin;
  for (const Parameter& parameter : table.parameters) {
    const int64_t first = std::max(begin, parameter.offset);
    const int64_t last = std::min(end, parameter.offset + parameter.elements);
    if (first >= last) continue;
    std::fill(out.begin() + (done - begin), out.begin() + (first - begin), 0.0f);
    FileOf(parameter).ReadFrom(parameter.name, first - parameter.offset,
                               out.subspan(static_cast<size_t>(first - begin), static_cast<size_t>(last - first)));
    done = last;
  }
  std::fill(out.begin() + (done - begin), out.end(), 0.0f);
}

}  // namespace srlm::model
