// The families of decoders that srlm has: what each one's config.json says beyond the sizes that all share. A family is
// one file here, a line in families.cc, and a variant in tests/reference/make_tiny_models.py; docs/architecture.md says
// how to add one.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/model/config_fields.h"
#include "common/model/model_config.h"

namespace srlm::model {

struct Family {
  std::string_view model_type;  // in config.json
  /// Sets what of `model` is the family's own; all sizes are read already. What the network does not have is refused
  /// by its name, in `fields`.
  void (*read)(ConfigFields& fields, ModelConfig& model);
};

/// Null: none of this name.
const Family* FindFamily(std::string_view model_type);
/// The names of all, for people.
std::string FamilyNames();

// What several families say alike.

/// hidden_act (or `key`) must be this one.
void CheckActivation(ConfigFields& fields, const char* key, std::string_view name);
/// A flag that must be false.
void CheckNot(ConfigFields& fields, const char* key);
/// rope_theta, rope_scaling and rope_parameters of `fields`: transformers 5 writes rope_parameters; older files have
/// the other two.
void ReadRope(ConfigFields& fields, RopeConfig& rope);
/// One such object: rope_type (or type), factor and so on.
void ReadRopeObject(ConfigFields& fields, RopeConfig& rope);
/// The layers that attend to the last `sliding_window` tokens alone: those that layer_types names, or without it those
/// for which `local` is true. An absent sliding_window is transformers' default, null is none.
void ReadWindow(ConfigFields& fields, ModelConfig& model, bool (*local)(ConfigFields& fields, int64_t layer));
/// The same as Qwen's files have it: use_sliding_window, and from layer max_window_layers on.
void ReadLaterWindow(ConfigFields& fields, ModelConfig& model);

// One file each.
extern const Family kLlama, kMistral, kQwen2, kQwen3, kGemma3;

}  // namespace srlm::model
