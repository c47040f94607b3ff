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

Status SetQuestion(const std::string& question, const text::Chat& chat, const Decoding& decoding,
                   const std::vector<RandomStream>& streams, const text::Choices* choices, v1::Item& item) {
  SRLM_ASSIGN_OR_RETURN(std::vector<int> token_ids, chat.PromptTokens(std::vector<Message>{{"user", question}}));
  if (choices != nullptr) {
    token_ids.insert(token_ids.end(), choices->opening_ids.begin(), choices->opening_ids.end());
    for (const int id : choices->choice_ids) item.mutable_choose()->add_choice_token_ids(id);
  } else {
    SetSample(item, decoding, chat, streams);
  }
  SetPrompt(item, token_ids);
  return OkStatus();
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
