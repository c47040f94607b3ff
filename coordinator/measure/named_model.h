// The models that `srlm evaluate` and `srlm compare` are given: folders, or models of a run.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm::measure {

struct NamedModel {
  std::string name;      // the folder as given, or RUN:M2
  std::string folder;    // absolute
  std::string model_id;  // the hash of its files
  std::string run_dir;   // empty: no run's model
  // As the run's configuration has them, or GiveChatTemplate; empty: the folder's own.
  std::string chat_template;
  std::string judge_template;  // of the run; empty: the built-in one
  bool parse_special_tokens = false;
};

/// `text` is a model folder; RUN:M2, one model of a run (M0 is the one it began with); or RUN, all models that the run
/// has made, M1 first. NotFound or InvalidArgument with what is there instead. A run may be worked on meanwhile.
Result<std::vector<NamedModel>> FindModels(const std::string& text);

/// The same for exactly one model. InvalidArgument for a RUN without a model's name.
Result<NamedModel> FindModel(const std::string& text);

/// Gives the chat template in file `path` to those of `models` that have none, by their run or in their folder.
/// InvalidArgument when each has one, and for a file that is no template.
Status GiveChatTemplate(const std::string& path, std::span<NamedModel* const> models);

}  // namespace srlm::measure
