#include "coordinator/schedule/work_queue.h"

#include <gtest/gtest.h>

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
  EXPECT_TRUE(queue.Renew("w2", {kept}, kBegin + seconds(9)).empty());
  EXPECT_TRUE(queue.Expire(kBegin + seconds(9)).empty());
  const auto failed = queue.Expire(kBegin + seconds(10));
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].work.item.item_id(), "a");
  EXPECT_EQ(failed[0].tries, 1);
  EXPECT_FALSE(failed[0].set_aside);
  EXPECT_EQ(queue.Renew("w1", {lost}, kBegin + seconds(11)), Strings{lost});
  EXPECT_EQ(Ids(queue.LeaseTo("w2", "m", 1, kBegin + seconds(11))), Strings{"a"});
}

TEST(WorkQueue, OnlyTheHolderRenewsALease) {
  WorkQueue queue({});
  queue.Add(Item("a"));
  const std::string lease = queue.LeaseTo("w1", "m", 1, kBegin).lease_id;
  EXPECT_EQ(queue.Renew("w2", {lease}, kBegin), Strings{lease});
}

TEST(WorkQueue, AResultAfterTheLeaseEndsTheItemWhereverItIs) {
  WorkQueue queue({.lease_timeout = seconds(1)});
  queue.Add(Item("a"));
  queue.LeaseTo("w1", "m", 1, kBegin);
  queue.Expire(kBegin + seconds(2));
  queue.Finish("a");  // w1 was late, not dead
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.LeaseTo("w2", "m", 1, kBegin).items.empty());
  EXPECT_EQ(queue.finished(), 1u);
}

TEST(WorkQueue, ThePoisonItemIsFoundAloneAndTheOthersSurvive) {
  WorkQueue queue({.max_tries = 3});
  for (const char* id : {"good1", "poison", "good2"}) queue.Add(Item(id));
  for (int death = 0; death < 2; ++death) {
    EXPECT_EQ(queue.LeaseTo("w", "m", 10, kBegin).items.size(), 3u);
    for (const FailedTry& failed : queue.Drop("w", true, "it died")) EXPECT_FALSE(failed.set_aside);
  }
  int set_aside = 0;
  for (int lease = 0; lease < 3; ++lease) {
    const Strings ids = Ids(queue.LeaseTo("w", "m", 10, kBegin));
    ASSERT_EQ(ids.size(), 1u);
    EXPECT_TRUE(queue.LeaseTo("w", "m", 10, kBegin).items.empty()) << "something beside an item on its last try";
    if (ids[0] != "poison") {
      queue.Finish(ids[0]);
      continue;
    }
    for (const FailedTry& failed : queue.Drop("w", true, "it died")) {
      EXPECT_TRUE(failed.set_aside);
      EXPECT_EQ(failed.work.item.item_id(), "poison");
      EXPECT_EQ(failed.tries, 3);
      ++set_aside;
    }
  }
  EXPECT_EQ(set_aside, 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.finished(), 2u);
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
  queue.LeaseTo("w", "m", 1, kBegin);
  const auto failed = queue.FailTry("a", "wrong model");
  ASSERT_TRUE(failed.has_value());
  EXPECT_TRUE(failed->set_aside);
  EXPECT_FALSE(queue.FailTry("a", "again").has_value());
}

}  // namespace
}  // namespace srlm::schedule
