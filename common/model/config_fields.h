// Reading config.json: fields of one JSON object, checked for kind and sense.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/base/status.h"

namespace srlm::model {

/// The first failure is kept, with the file's path and the field's name, and the rest read as defaults. A field that is
/// missing or null has its fallback.
class ConfigFields {
 public:
  ConfigFields(const nlohmann::json& object, std::string path) : object_(object), path_(std::move(path)) {}

  /// A positive integer; a fallback of 0: it must be there.
  int64_t Size(const char* key, int64_t fallback = 0);
  /// An integer that is not negative.
  int64_t Count(const char* key, int64_t fallback);
  /// A positive number.
  double Number(const char* key, double fallback);
  bool Flag(const char* key, bool fallback);
  std::string Text(const char* key, const std::string& fallback);
  /// Whether the field is there and not null.
  bool Has(const char* key) const;
  const nlohmann::json& object() const { return object_; }

  void Fail(const std::string& message);
  /// A failure of fields inside of these.
  void Keep(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  const Status& status() const { return status_; }
  const std::string& path() const { return path_; }

 private:
  const nlohmann::json& object_;
  std::string path_;
  Status status_;
};

}  // namespace srlm::model
