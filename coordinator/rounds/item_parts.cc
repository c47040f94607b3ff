#include "coordinator/rounds/item_parts.h"

#include <utility>

namespace srlm::rounds {

void SetSample(v1::Item& item, const Decoding& decoding, const text::Chat& chat,
               const std::vector<RandomStream>& streams) {
  v1::SampleWork& work = *item.mutable_sample();
  work.set_temperature(decoding.temperature);
  work.set_top_p(decoding.top_p);
  work.set_max_new_tokens(static_cast<uint32_t>(decoding.max_new_tokens));
  for (const int id : chat.end_of_turn_ids()) work.add_stop_token_ids(id);
  for (const RandomStream& stream : streams) work.add_stream_keys(stream.key());
}

void SetPrompt(v1::Item& item, const std::vector<int>& token_ids) {
  item.mutable_prompt_token_ids()->Assign(token_ids.begin(), token_ids.end());
}

std::vector<RandomStream> Children(const RandomStream& stream, int count) {
  std::vector<RandomStream> children;
  for (int i = 0; i < count; ++i) children.push_back(stream.Child(static_cast<uint64_t>(i)));
  return children;
}

schedule::WorkItem Stub(Priority priority, const KnownModel& model, const std::string& id, schedule::Subject subject) {
  schedule::WorkItem work;
  work.priority = priority;
  work.item.set_item_id(id);
  work.item.set_purpose(subject.purpose);
  work.item.set_model_id(model.model_id);
  work.subject = std::move(subject);
  return work;
}

}  // namespace srlm::rounds
