#include "coordinator/schedule/work_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace srlm::schedule {
namespace {

using std::chrono::seconds;

const Clock::time_point kBegin{};

WorkItem Item(const std::string& id, int priority = 0, const std::string& model = "m",
              const std::string& preferred = "") {
  WorkItem work;
  work.item.set_item_id(id);
  work.item.set_model_id(model);
  work.priority = priority;
  work.preferred_worker = preferred;
  return work;
}

std::vector<std::string> Ids(const Lease& lease) {
  std::vector<std::string> ids;
  for (const v1::Item* item : lease.items) ids.push_back(item->item_id());
  return ids;
}

using Strings = std::vector<std::string>;

Strings SetAside(const std::vector<FailedTry>& failed) {
  Strings ids;
  for (const FailedTry& each : failed)
    if (each.set_aside) ids.push_back(each.work.item.item_id());
  return ids;
}

TEST(WorkQueue, LeasesByPriorityThenOrder) {
  WorkQueue queue({});
  queue.Add(Item("late", 1));
  queue.Add(Item("first", 0));
  queue.Add(Item("second", 0));
  EXPECT_EQ(Ids(queue.LeaseTo("w", "m", 10, kBegin)), (Strings{"first", "second", "late"}));
  EXPECT_EQ(queue.leased(), 3u);
  EXPECT_TRUE(queue.LeaseTo("w", "m", 10, kBegin).items.empty());
}

TEST(WorkQueue, NeverLeasesMoreThanAskedOrAllowed) {
  WorkQueue queue({.lease_items = 2});
  for (const char* id : {"a", "b", "c", "d"}) queue.Add(Item(id));
  EXPECT_EQ(queue.LeaseTo("w", "m", 1, kBegin).items.size(), 1u);
  EXPECT_EQ(queue.LeaseTo("w", "m", 10, kBegin).items.size(), 2u);
  EXPECT_TRUE(queue.LeaseTo("w", "m", 0, kBegin).items.empty());
}

TEST(WorkQueue, AnIdIsAddedOnce) {
  WorkQueue queue({});
  EXPECT_TRUE(queue.Add(Item("a")));
  EXPECT_FALSE(queue.Add(Item("a")));
  EXPECT_EQ(queue.LeaseTo("w", "", 10, kBegin).items.size(), 1u);
}

TEST(WorkQueue, ALeaseHoldsOneModelAndTheLoadedOneComesFirst) {
  WorkQueue queue({});
  queue.Add(Item("a", 0, "other"));
  queue.Add(Item("b", 1, "loaded"));
  EXPECT_EQ(Ids(queue.LeaseTo("w", "loaded", 10, kBegin)), Strings{"b"});
  EXPECT_EQ(Ids(queue.LeaseTo("w", "loaded", 10, kBegin)), Strings{"a"});
}

TEST(WorkQueue, PreferredWorkersComeFirstAndOthersStealWhenTheyHaveNothing) {
  WorkQueue queue({});
  queue.Add(Item("mine", 0, "m", "w1"));
  queue.Add(Item("any", 0));
  EXPECT_EQ(Ids(queue.LeaseTo("w2", "m", 1, kBegin)), Strings{"any"});
  EXPECT_EQ(Ids(queue.LeaseTo("w2", "m", 1, kBegin)), Strings{"mine"});
}

TEST(WorkQueue, AnExpiredLeaseGoesBackAndARenewedOneDoesNot) {
  WorkQueue queue({.lease_timeout = seconds(10)});
  queue.Add(Item("a"));
  queue.Add(Item("b"));
  const std::string lost = queue.LeaseTo("w1", "m", 1, kBegin).lease_id;
  const std::string kept = queue.LeaseTo("w2", "m", 1, kBegin).lease_id;
  EXPECT_TRUE(queue.Renew("w2", {kept}, kBegin + seconds(9)).lease_ids.empty());
  EXPECT_TRUE(queue.Expire(kBegin + seconds(9)).worker_ids.empty());
  const Expired expired = queue.Expire(kBegin + seconds(10));
  EXPECT_EQ(expired.worker_ids, Strings{"w1"});
  EXPECT_TRUE(expired.set_aside.empty());
  EXPECT_EQ(queue.Renew("w1", {lost}, kBegin + seconds(11)).lease_ids, Strings{lost});
  EXPECT_EQ(Ids(queue.LeaseTo("w2", "m", 1, kBegin + seconds(11))), (Strings{"a"}));
}

TEST(WorkQueue, OnlyTheHolderRenewsALease) {
  WorkQueue queue({});
  queue.Add(Item("a"));
  const std::string lease = queue.LeaseTo("w1", "m", 1, kBegin).lease_id;
  EXPECT_EQ(queue.Renew("w2", {lease}, kBegin).lease_ids, Strings{lease});
}

TEST(WorkQueue, AResultAfterTheLeaseEndsTheItemWhereverItIs) {
  WorkQueue queue({.lease_timeout = seconds(1)});
  queue.Add(Item("a"));
  const std::string lease = queue.LeaseTo("w1", "m", 1, kBegin).lease_id;
  queue.Expire(kBegin + seconds(2));
  queue.Finish("a", lease, kBegin + seconds(2));  // w1 was late, not dead
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.LeaseTo("w2", "m", 1, kBegin).items.empty());
  EXPECT_EQ(queue.finished(), 1u);
}

TEST(WorkQueue, ThePoisonItemIsSetAsideAloneAfterThreeTriesAndItsMatesAreDone) {
  WorkQueue queue({.max_tries = 3});
  for (int i = 0; i < 31; ++i) queue.Add(Item("mate" + std::to_string(i)));
  queue.Add(Item("poison"));
  for (int i = 0; i < 40; ++i) queue.Add(Item("later" + std::to_string(i), 1));
  int deaths = 0;
  Strings set_aside;
  // One worker, which dies whenever it has the poison item and is started again.
  while (!queue.empty()) {
    const std::string worker = "w" + std::to_string(deaths);
    const Lease lease = queue.LeaseTo(worker, "m", 32, kBegin);
    const Strings ids = Ids(lease);
    ASSERT_FALSE(ids.empty());
    if (std::ranges::find(ids, "poison") == ids.end()) {
      for (const std::string& id : ids) queue.Finish(id, lease.lease_id, kBegin);
      continue;
    }
    if (deaths > 0) {
      EXPECT_EQ(ids, Strings{"poison"});
    }
    ++deaths;
    for (const std::string& id : SetAside(queue.Drop(worker, true, "it died"))) set_aside.push_back(id);
  }
  EXPECT_EQ(set_aside, Strings{"poison"});
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(queue.finished(), 72u);
}

TEST(WorkQueue, SuspectsDoNotWaitForTheRestOfTheWork) {
  WorkQueue queue({.lease_items = 2});
  for (const char* id : {"a", "b", "c", "d", "e"}) queue.Add(Item(id));
  queue.LeaseTo("dies", "m", 2, kBegin);
  queue.LeaseTo("busy", "m", 2, kBegin);
  queue.Drop("dies", true, "it died");
  EXPECT_EQ(Ids(queue.LeaseTo("busy", "m", 2, kBegin)), Strings{"e"});  // it holds something: no suspect
  EXPECT_TRUE(queue.LeaseTo("busy", "m", 2, kBegin).items.empty());
  EXPECT_EQ(Ids(queue.LeaseTo("again", "m", 2, kBegin)), Strings{"a"});
  EXPECT_TRUE(queue.LeaseTo("again", "m", 2, kBegin).items.empty()) << "something beside a suspect";
}

TEST(WorkQueue, DeathsBesideOthersSetNothingAside) {
  WorkQueue queue({.max_tries = 1});
  queue.Add(Item("a"));
  queue.Add(Item("b"));
  queue.LeaseTo("w1", "m", 2, kBegin);
  EXPECT_TRUE(SetAside(queue.Drop("w1", true, "it died")).empty());
  queue.LeaseTo("w2", "m", 2, kBegin);
  EXPECT_EQ(SetAside(queue.Drop("w2", true, "it died")), Strings{"a"});
}

TEST(WorkQueue, AnExpiredLeaseBlamesNobodyUntilItsWorkerIsEnded) {
  WorkQueue queue({.lease_timeout = seconds(1), .max_tries = 1});
  queue.Add(Item("hangs"));
  queue.Add(Item("stopped"));
  queue.LeaseTo("stuck", "m", 1, kBegin);
  queue.LeaseTo("slept", "m", 1, kBegin);
  EXPECT_EQ(queue.Expire(kBegin + seconds(1)).worker_ids.size(), 2u);
  queue.Forgive("slept");  // it woke up and went on
  EXPECT_TRUE(queue.Drop("slept", true, "it died later").empty());
  EXPECT_EQ(SetAside(queue.Drop("stuck", true, "it was ended")), Strings{"hangs"});
  EXPECT_EQ(queue.waiting(), 1u);
}

TEST(WorkQueue, AnItemThatHangsEveryWorkerIsSetAside) {
  WorkQueue queue({.lease_timeout = seconds(1), .max_tries = 3});
  queue.Add(Item("hangs"));
  Clock::time_point now = kBegin;
  Strings set_aside;
  // The next worker has it before the last one was ended for it.
  for (int worker = 0; worker < 6 && !queue.empty(); ++worker) {
    EXPECT_EQ(Ids(queue.LeaseTo("w" + std::to_string(worker), "m", 1, now)), Strings{"hangs"});
    if (worker > 0) queue.Drop("w" + std::to_string(worker - 1), true, "it was ended");
    now += seconds(1);
    for (const std::string& id : SetAside(queue.Expire(now).set_aside)) set_aside.push_back(id);
  }
  EXPECT_EQ(set_aside, Strings{"hangs"});
}

TEST(WorkQueue, AModelThatCannotBeLoadedCostsNoItem) {
  WorkQueue queue({.max_tries = 2});
  for (const char* id : {"a", "b", "c"}) queue.Add(Item(id));
  std::set<std::string> alone;
  for (int death = 0; death < 12; ++death) {
    const std::string worker = "w" + std::to_string(death);
    const Strings ids = Ids(queue.LeaseTo(worker, "", 10, kBegin));
    ASSERT_FALSE(ids.empty());
    if (ids.size() == 1) alone.insert(ids[0]);
    EXPECT_TRUE(SetAside(queue.Drop(worker, true, "it died")).empty());
  }
  EXPECT_EQ(alone.size(), 3u) << "another item each time";
  // Then it loads, and the item that kills its worker is found.
  EXPECT_EQ(queue.LeaseTo("loaded", "m", 10, kBegin).items.size(), 1u);
  EXPECT_EQ(SetAside(queue.Drop("loaded", true, "it died")).size(), 1u);
}

TEST(WorkQueue, LeasesOfTwoCoordinatorsHaveDifferentNames) {
  WorkQueue first({.epoch = 1}), second({.epoch = 2});
  first.Add(Item("a"));
  second.Add(Item("a"));
  EXPECT_NE(first.LeaseTo("w", "m", 1, kBegin).lease_id, second.LeaseTo("w", "m", 1, kBegin).lease_id);
}

TEST(WorkQueue, AWorkerThatLeavesIsNotBlamed) {
  WorkQueue queue({.max_tries = 1});
  queue.Add(Item("a", 0, "m", "w"));
  queue.LeaseTo("w", "m", 1, kBegin);
  EXPECT_TRUE(queue.Drop("w", false, "").empty());
  EXPECT_EQ(Ids(queue.LeaseTo("v", "m", 1, kBegin)), Strings{"a"});
}

TEST(WorkQueue, TriesOfAnEarlierCoordinatorCount) {
  WorkQueue queue({.max_tries = 3});
  queue.Add(Item("a"), 2);
  queue.Add(Item("b"));
  EXPECT_EQ(Ids(queue.LeaseTo("w", "m", 2, kBegin)), Strings{"a"});
  const auto failed = queue.FailTry("a", "wrong model");
  ASSERT_TRUE(failed.has_value());
  EXPECT_TRUE(failed->set_aside);
  EXPECT_FALSE(queue.FailTry("a", "again").has_value());
}

// Five items of one second each, so that the median is known; then one that a slow worker keeps.
class StragglerTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i) {
      const std::string id = "fast" + std::to_string(i);
      queue_.Add(Item(id));
      const Lease lease = queue_.LeaseTo("quick", "m", 1, kBegin);
      queue_.Finish(id, lease.lease_id, kBegin + seconds(1));
    }
    queue_.Add(Item("slow"));
    queue_.Add(Item("slower"));
    first_ = queue_.LeaseTo("snail", "m", 2, kBegin).lease_id;
  }
  WorkQueue queue_{{}};
  std::string first_;
};

TEST_F(StragglerTest, IsLeasedASecondTimeAfterThreeMediansAndTheLoserIsTold) {
  EXPECT_TRUE(queue_.LeaseTo("quick", "m", 1, kBegin + seconds(3)).items.empty());
  EXPECT_TRUE(queue_.LeaseTo("snail", "m", 1, kBegin + seconds(4)).items.empty()) << "its own";
  const Lease second = queue_.LeaseTo("quick", "m", 1, kBegin + seconds(4));
  EXPECT_EQ(Ids(second), Strings{"slow"});
  EXPECT_EQ(Ids(queue_.LeaseTo("third", "m", 9, kBegin + seconds(4))), Strings{"slower"}) << "no third lease";
  EXPECT_EQ(queue_.leased(), 2u);
  queue_.Finish("slow", second.lease_id, kBegin + seconds(5));
  const Lost lost = queue_.Renew("snail", {first_}, kBegin + seconds(5));
  EXPECT_TRUE(lost.lease_ids.empty());
  EXPECT_EQ(lost.item_ids, Strings{"slow"});
  EXPECT_TRUE(queue_.Renew("snail", {first_}, kBegin + seconds(5)).item_ids.empty()) << "said twice";
  EXPECT_EQ(queue_.Find("slow"), nullptr);
  queue_.Finish("slower", first_, kBegin + seconds(6));  // the first lease may win too
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.Renew("snail", {first_}, kBegin + seconds(6)).lease_ids, Strings{first_});
}

TEST_F(StragglerTest, WaitsWhileThereIsOtherWork) {
  queue_.Add(Item("other"));
  EXPECT_EQ(Ids(queue_.LeaseTo("quick", "m", 9, kBegin + seconds(9))), Strings{"other"});
}

TEST_F(StragglerTest, KeepsItsOtherLeaseWhenOneWorkerDies) {
  queue_.LeaseTo("quick", "m", 9, kBegin + seconds(9));
  EXPECT_TRUE(SetAside(queue_.Drop("quick", true, "it died")).empty());
  EXPECT_EQ(queue_.leased(), 2u);
  EXPECT_EQ(queue_.waiting(), 0u);
  EXPECT_TRUE(SetAside(queue_.Drop("snail", true, "it died")).empty());
  EXPECT_EQ(queue_.waiting(), 2u);
}

TEST(WorkQueue, ATimeInWhichNobodyCouldCallEndsNoLease) {
  WorkQueue queue({.lease_timeout = seconds(10)});
  queue.Add(Item("a"));
  queue.LeaseTo("w", "m", 1, kBegin);
  queue.Extend(seconds(60));
  EXPECT_TRUE(queue.Expire(kBegin + seconds(69)).worker_ids.empty());
  EXPECT_EQ(queue.Expire(kBegin + seconds(70)).worker_ids, Strings{"w"});
}

}  // namespace
}  // namespace srlm::schedule
