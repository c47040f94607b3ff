#include "common/rpc/right.h"

#include <algorithm>

namespace srlm::rpc {

std::string_view RightName(Right right) {
  switch (right) {
    case Right::kRead: return "read";
    case Right::kSteer: return "steer";
    case Right::kWork: return "work";
  }
  return "";
}

std::optional<Right> RightFromName(std::string_view name) {
  const auto found = std::ranges::find(kRights, name, RightName);
  return found == kRights.end() ? std::nullopt : std::optional(*found);
}

bool Includes(Right held, Right needed) { return held == needed || (held == Right::kSteer && needed == Right::kRead); }

}  // namespace srlm::rpc
