#include "common/model/config_fields.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace srlm::model {

bool ConfigFields::Has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

int64_t ConfigFields::Size(const char* key, int64_t fallback) {
  constexpr int64_t kLargest = int64_t{1} << 32;
  if (!Has(key)) {
    if (fallback == 0) Fail(fmt::format("'{}' is missing", key));
    return fallback;
  }
  const nlohmann::json& value = object_.at(key);
  if (!value.is_number_integer() || value.get<int64_t>() < 1 || value.get<int64_t>() > kLargest) {
    Fail(fmt::format("'{}' is {}, a positive integer is wanted", key, value.dump().substr(0, 40)));
    return 1;
  }
  return value.get<int64_t>();
}

int64_t ConfigFields::Count(const char* key, int64_t fallback) {
  if (Has(key) && object_.at(key).is_number_integer() && object_.at(key).get<int64_t>() == 0) return 0;
  return Size(key, fallback);
}

double ConfigFields::Number(const char* key, double fallback) {
  if (!Has(key)) return fallback;
  const nlohmann::json& value = object_.at(key);
  if (!value.is_number() || !(value.get<double>() > 0)) {
    Fail(fmt::format("'{}' is {}, a positive number is wanted", key, value.dump().substr(0, 40)));
    return fallback;
  }
  return value.get<double>();
}

bool ConfigFields::Flag(const char* key, bool fallback) {
  if (!Has(key)) return fallback;
  const nlohmann::json& value = object_.at(key);
  if (!value.is_boolean()) {
    Fail(fmt::format("'{}' is {}, true or false is wanted", key, value.dump().substr(0, 40)));
    return fallback;
  }
  return value.get<bool>();
}

std::string ConfigFields::Text(const char* key, const std::string& fallback) {
  return Has(key) && object_.at(key).is_string() ? object_.at(key).get<std::string>() : fallback;
}

void ConfigFields::Fail(const std::string& message) {
  if (status_.ok()) status_ = InvalidArgument(path_ + ": " + message);
}

}  // namespace srlm::model
