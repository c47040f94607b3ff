#include "common/text/bytes.h"

#include <fmt/format.h>

namespace srlm::text {

std::string TakeString(SrlmTextBytes bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.data), bytes.size);
  srlm_text_free_bytes(bytes);
  return text;
}

std::vector<int> TakeIds(SrlmTextIds ids) {
  std::vector<int> values(ids.data, ids.data + ids.size);
  srlm_text_free_ids(ids);
  return values;
}

Status CheckUtf8(std::string_view text) {
  const size_t valid = srlm_text_valid_utf8(Data(text), text.size());
  if (valid == text.size()) return OkStatus();
  return InvalidArgument(fmt::format("the text is not valid UTF-8 at byte {}", valid));
}

}  // namespace srlm::text
