// What a caller may do. RUN/secrets has a folder of keys for each right: who can read the folder has the right.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace srlm::rpc {

enum class Right {
  kRead,   // look: status, tables, health, reflection
  kSteer,  // look, and pause, resume or cancel
  kWork,   // what workers and trainers call
};

inline constexpr std::array kRights = {Right::kRead, Right::kSteer, Right::kWork};

/// "read", "steer" or "work": the folder's name, and a part of the certificate's.
std::string_view RightName(Right right);
std::optional<Right> RightFromName(std::string_view name);

/// Whether who has `held` may call what needs `needed`.
bool Includes(Right held, Right needed);

/// The right that each method needs, by its path on the wire: "/srlm.v1.RunService/GetStatus".
using MethodRights = std::map<std::string, Right, std::less<>>;

}  // namespace srlm::rpc
