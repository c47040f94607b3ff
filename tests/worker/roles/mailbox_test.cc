#include "worker/roles/mailbox.h"

#include <gtest/gtest.h>

namespace srlm::worker {
namespace {

std::vector<Assignment> Items(const std::string& lease_id, int count) {
  std::vector<Assignment> items(static_cast<size_t>(count));
  for (Assignment& item : items) item.lease_id = lease_id;
  return items;
}

EngineReport WithRoom(int items) {
  EngineReport report;
  report.room_items = items;
  return report;
}

TEST(Mailbox, DeliveredItemsTakeRoomUntilTheEngineReports) {
  Mailbox mailbox;
  mailbox.Report(WithRoom(8), {});
  EXPECT_EQ(mailbox.room_items(), 8);
  mailbox.Deliver(Items("a", 5));
  EXPECT_EQ(mailbox.room_items(), 3);
  mailbox.TakeAssignments();
  EXPECT_EQ(mailbox.room_items(), 3) << "taken, but the engine's report does not know of them yet";
  mailbox.Deliver(Items("b", 4));
  EXPECT_EQ(mailbox.room_items(), 0);
  mailbox.Report(WithRoom(6), {});
  EXPECT_EQ(mailbox.room_items(), 2) << "four items are still untaken";
}

TEST(Mailbox, ItemsOfALostLeaseAreNoLongerHeldUnlessTheyWereTaken) {
  Mailbox mailbox;
  mailbox.Deliver(Items("a", 2));
  mailbox.TakeAssignments();
  mailbox.Deliver(Items("a", 1));
  mailbox.Deliver(Items("b", 3));
  EXPECT_EQ(mailbox.held_items(), 6u);
  mailbox.DropLost({"a", "unknown"}, {});
  EXPECT_EQ(mailbox.held_items(), 5u);
  EXPECT_EQ(mailbox.TakeLostLeases(), (std::vector<std::string>{"a", "unknown"}));
  EXPECT_TRUE(mailbox.TakeLostLeases().empty());
  EXPECT_EQ(mailbox.TakeAssignments().size(), 3u);
  mailbox.Report(WithRoom(1), std::vector<v1::ItemResult>(3));
  EXPECT_EQ(mailbox.held_items(), 2u);
  mailbox.Forget(2);
  EXPECT_EQ(mailbox.held_items(), 0u);
}

TEST(Mailbox, ItemsThatOthersHaveFinishedAreDroppedAndTold) {
  Mailbox mailbox;
  std::vector<Assignment> items = Items("a", 3);
  for (size_t i = 0; i < items.size(); ++i) items[i].item.set_item_id(std::to_string(i));
  mailbox.Deliver({items[0]});
  mailbox.TakeAssignments();
  mailbox.Deliver({items[1], items[2]});
  mailbox.DropLost({}, {"0", "2"});
  EXPECT_EQ(mailbox.held_items(), 2u) << "one has begun";
  EXPECT_EQ(mailbox.TakeLostItems(), (std::vector<std::string>{"0", "2"}));
  EXPECT_EQ(mailbox.TakeAssignments().size(), 1u);
}

TEST(Mailbox, ResultsStayUntilTheyAreAcknowledged) {
  Mailbox mailbox;
  mailbox.Report({}, std::vector<v1::ItemResult>(3));
  EXPECT_EQ(mailbox.Outbox(2, 1000).size(), 2u);
  EXPECT_EQ(mailbox.outbox_size(), 3u);
  mailbox.Acknowledge(2);
  EXPECT_EQ(mailbox.Outbox(2, 1000).size(), 1u);
}

TEST(Mailbox, OneSubmitIsLimitedInBytesButNeverEmpty) {
  std::vector<v1::ItemResult> results(3);
  for (v1::ItemResult& result : results) result.set_error(std::string(100, 'x'));
  Mailbox mailbox;
  mailbox.Report({}, results);
  EXPECT_EQ(mailbox.Outbox(10, 1000).size(), 3u);
  EXPECT_EQ(mailbox.Outbox(10, 250).size(), 2u);
  EXPECT_EQ(mailbox.Outbox(10, 10).size(), 1u);
}

TEST(Mailbox, AnOrderAnItemAndAFailureEndTheWaitForWork) {
  constexpr auto kLong = std::chrono::minutes(1);  // the test's own limit would end it
  Mailbox mailbox;
  mailbox.SetOrders({.leave = false, .release_cores = true});
  mailbox.WaitForWork(kLong);
  mailbox.Deliver(Items("a", 1));
  mailbox.WaitForWork(kLong);
  mailbox.TakeAssignments();
  mailbox.Fail(Unavailable("gone"));
  mailbox.WaitForWork(kLong);
  EXPECT_EQ(mailbox.failure().message(), "gone");
}

}  // namespace
}  // namespace srlm::worker
