// Where a rank of a job is, as it says so itself on the side channel (side_channel.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace srlm::parallel {

enum class Doing {
  kComputing,
  kWaiting,  // for the others, in an operation
  kAlone,    // work that the others wait for (AloneWork in communicator.h)
};

struct RankState {
  int rank = 0;
  std::string host;
  int64_t pid = 0;
  Doing doing = Doing::kComputing;
  std::string what;          // kAlone: the work; else the last operation that it began
  std::string phase;         // of the job, such as "step 17"; may be empty
  int64_t operations = 0;    // begun so far
  bool noticed = false;      // it was told to end: SIGTERM
  double stood_still_s = 0;  // seconds in which its process did not run, until just now; 0: it ran
  double for_s = 0;          // seconds that it has been at this
  double age_s = 0;          // seconds since it was last heard; for_s includes them
};

/// `rank 2 (node7, process 4711)`.
std::string NameOf(const RankState& state);
/// What it does and since when (UTC), for a message: `waiting in all-reduce #41 'gradients' (step 17) since 10:02:03
/// UTC, 61.2 s`.
std::string Describe(const RankState& state);

/// States as one datagram of at most a few hundred bytes each. Long names are cut.
std::string Encode(const std::vector<RankState>& states, bool asks_for_all);

struct Decoded {
  std::vector<RankState> states;
  bool asks_for_all = false;  // the sender wants to know where all ranks are
};
/// InvalidArgument for anything that Encode does not make. Ranks are from 0 to size - 1, seconds are finite.
Result<Decoded> Decode(std::string_view text, int size);

}  // namespace srlm::parallel
