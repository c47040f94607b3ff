// How fast a rank is: by a probe of this machine's, or by what makers and others' measurements say of a GPU.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm::plan {

/// One rank of each program while all of them work. Rates are of what is reached, not of what is promised.
struct Machine {
  std::string name;            // for people
  double prefill_flops = 0;    // a second, of many tokens at once
  double step_seconds = 0;     // of a decoding step, whatever its batch, where a probe has measured it; else 0:
  double weight_bytes_s = 0;   //   bytes of weights and cache that are read in a second
  double decode_flops = 0;     // a second, of decoding rows beside that
  double train_flops = 0;      // a second
  double link_bytes_s = 0;     // between ranks of a node, each way; 0: not counted apart
  double network_bytes_s = 0;  // between nodes, a rank's share
  int ranks_a_node = 0;
  double load_seconds = 0;  // from a launch to the first step
  double train_load_seconds = 0;
  double memory_bytes = 0;  // of a rank's own; 0: they share the host's

  /// Whether there are rates.
  bool known() const { return train_flops > 0; }
};

/// A GPU by its name, such as h100-80gb. InvalidArgument with the names that there are.
Result<Machine> FindGpu(std::string_view name);

}  // namespace srlm::plan
