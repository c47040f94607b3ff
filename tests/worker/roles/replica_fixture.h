// What the tests of srlm-worker --run share: a run's folder, items, and what the engine gives for them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/worker/roles/scripted_coordinator.h"
#include "tests/worker/roles/worker_process.h"

namespace srlm::worker {

using Record = ScriptedCoordinator::Record;

v1::Item MakeItem(const std::string& id, const v1::ModelRef& model, int prompt_tokens = 12);
v1::Item SampleItem(const std::string& id, const v1::ModelRef& model, int samples = 3, int tokens = 20);
v1::Item ChooseItem(const std::string& id, const v1::ModelRef& model);
v1::Item ScoreItem(const std::string& id, const v1::ModelRef& model);

/// What the engine gives for an item, asked without a coordinator.
v1::ItemResult Expected(const v1::Item& item, const v1::ModelRef& model);

/// Leases one after the other; then WAIT until all their items are stored, then LEAVE.
std::function<v1::LeaseResponse(Record&)> InTurn(std::vector<v1::LeaseResponse> leases);

/// By item; a result that came twice is a failure of the test.
std::map<std::string, v1::ItemResult> ById(const std::vector<v1::ItemResult>& results);

class Replica : public ::testing::Test {
 protected:
  Replica();
  ~Replica() override;

  /// Files of results that a worker saved when it found no coordinator.
  std::vector<std::string> SavedFiles() const;

  std::string run_;
  const v1::ModelRef llama_ = TinyModel("llama3");
  const v1::ModelRef mistral_ = TinyModel("mistral");
};

}  // namespace srlm::worker
