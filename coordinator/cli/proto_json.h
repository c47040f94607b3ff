// Messages as JSON for tools.
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>

namespace srlm::cli {

/// Every field under its name in the .proto, in its order: numbers as numbers (protobuf's own JSON makes text of 64
/// bits), numbers that are not finite as null, absent optional fields as null, maps as objects.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

}  // namespace srlm::cli
