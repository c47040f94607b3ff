#include "coordinator/cli/proto_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/reflection.h>

namespace srlm::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::ordered_json;

/// The value of a field; element `index` when it is repeated.
Json Value(const Message& message, const FieldDescriptor* field, int index) {
  const auto& reflection = *message.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
#define SRLM_CASE(type, name)                                                   \
  case FieldDescriptor::CPPTYPE_##type:                                         \
    return repeated ? Json(reflection.GetRepeated##name(message, field, index)) \
                    : Json(reflection.Get##name(message, field))
    SRLM_CASE(INT32, Int32);
    SRLM_CASE(INT64, Int64);
    SRLM_CASE(UINT32, UInt32);
    SRLM_CASE(UINT64, UInt64);
    SRLM_CASE(DOUBLE, Double);  // what is not finite becomes null when it is written
    SRLM_CASE(FLOAT, Float);
    SRLM_CASE(BOOL, Bool);
    SRLM_CASE(STRING, String);
#undef SRLM_CASE
    case FieldDescriptor::CPPTYPE_ENUM:
      return repeated ? reflection.GetRepeatedEnum(message, field, index)->name()
                      : reflection.GetEnum(message, field)->name();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(repeated ? reflection.GetRepeatedMessage(message, field, index)
                             : reflection.GetMessage(message, field));
  }
  return nullptr;
}

/// A map's entries, which protobuf's reflection gives as messages of key and value.
Json MapObject(const Message& message, const FieldDescriptor* field) {
  Json object = Json::object();
  const auto& reflection = *message.GetReflection();
  std::map<std::string, Json> sorted;
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, field, i);
    const auto* type = entry.GetDescriptor();
    const Json key = Value(entry, type->FindFieldByNumber(1), 0);
    sorted[key.is_string() ? key.get<std::string>() : key.dump()] = Value(entry, type->FindFieldByNumber(2), 0);
  }
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

}  // namespace

Json ToJson(const Message& message) {
  Json object = Json::object();
  const auto* descriptor = message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    Json& value = object[field->name()];
    if (field->is_map()) {
      value = MapObject(message, field);
    } else if (field->is_repeated()) {
      value = Json::array();
      for (int j = 0; j < reflection.FieldSize(message, field); ++j) value.push_back(Value(message, field, j));
    } else if (field->has_presence() && !reflection.HasField(message, field)) {
      value = nullptr;
    } else {
      value = Value(message, field, 0);
    }
  }
  return object;
}

}  // namespace srlm::cli
