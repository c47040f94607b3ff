// What engines are asked in tests, and what they answer.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "worker/engine/engine.h"

namespace srlm::worker {

using Responses = std::map<uint64_t, Response>;

inline std::string Model(const std::string& name) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/" + name;
}

inline std::vector<int> Tokens(uint64_t seed, int count) {
  const RandomStream stream(seed, {});
  std::vector<int> tokens(static_cast<size_t>(count));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int>(stream.Below(i, 320));
  return tokens;
}

/// Samples, choices and scores after prompts of many lengths, some with a common prefix.
inline std::vector<Request> Load(double temperature) {
  std::vector<Request> requests;
  const auto common = Tokens(99, 40);
  for (uint64_t id = 0; id < 12; ++id) {
    auto prompt = Tokens(id, 3 + static_cast<int>(id) * 7);
    if (id % 3 == 0) prompt.insert(prompt.begin(), common.begin(), common.end());
    if (id % 6 == 4) {
      requests.push_back({id, prompt, ChooseWork{{5, 6, 319}}});
    } else if (id % 6 == 5) {
      requests.push_back({id, prompt, ScoreWork{Tokens(id + 50, 20)}});
    } else {
      SampleWork work;
      for (uint64_t i = 0; i < 1 + id % 4; ++i) work.streams.push_back(RandomStream(5, {id, i}));
      work.max_new_tokens = 16;
      work.temperature = temperature;
      requests.push_back({id, std::move(prompt), work});
    }
  }
  return requests;
}

inline Responses AnswersOf(const std::string& model, const EngineOptions& options, const std::vector<Request>& requests,
                           bool one_by_one = false) {
  Responses responses;
  auto engine = Engine::Create(model, options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  if (!engine.ok()) return responses;
  const auto finish = [&] {
    while ((*engine)->HasWork()) {
      const Status status = (*engine)->Step();
      ASSERT_TRUE(status.ok()) << status.message();
      for (Response& response : (*engine)->TakeFinished()) responses[response.id] = std::move(response);
    }
  };
  for (const Request& request : requests) {
    (*engine)->Submit(request);
    if (one_by_one) finish();
  }
  finish();
  return responses;
}

inline std::vector<double> Values(const Response& response) {
  std::vector<double> values(response.choice_logprobs.begin(), response.choice_logprobs.end());
  values.insert(values.end(), response.token_logprobs.begin(), response.token_logprobs.end());
  for (const Sample& sample : response.samples)
    values.insert(values.end(), sample.token_logprobs.begin(), sample.token_logprobs.end());
  return values;
}

}  // namespace srlm::worker
