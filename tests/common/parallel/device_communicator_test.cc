// The communicator of devices over a plug-in whose devices are host memory (tests/common/device/host_device.cc). Runs
// under mpirun: every rank is this whole binary.
#include "common/parallel/device_communicator.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "common/parallel/mpi_session.h"
#include "tests/common/parallel/communicator_checks.h"

namespace srlm::parallel {
namespace {

MpiSession* session = nullptr;

std::unique_ptr<Communicator> Make(double timeout_s = 60) {
  auto taken = session->TakeDevice({.timeout_s = timeout_s});
  EXPECT_TRUE(taken.ok()) << taken.status().message();
  auto made = session->World({.timeout_s = timeout_s}, &*taken);
  EXPECT_TRUE(made.ok()) << made.status().message();
  return std::move(made).value();
}

/// The buffer as the device's, which here is host memory.
template <class T>
Buffer OnDevice(std::vector<T>& values) {
  Buffer buffer = BufferOf(std::span(values));
  buffer.memory = Memory::kDevice;
  return buffer;
}
Buffer BFloat16sOnDevice(std::vector<uint16_t>& values) {
  return {values.data(), static_cast<int64_t>(values.size()), DataType::kBFloat16, Memory::kDevice};
}

template <class T>
void CheckType(Communicator& world) {
  const int size = world.size(), rank = world.rank();
  const auto blocks = static_cast<size_t>(size);
  const size_t count = 70001;
  const auto value = [](int of, size_t i) { return static_cast<T>(static_cast<T>(of + 1) * static_cast<T>(i % 16)); };
  const auto fill = [&](int of, size_t elements) {
    std::vector<T> values(elements);
    for (size_t i = 0; i < elements; ++i) values[i] = value(of, i);
    return values;
  };
  std::vector<T> from_last = fill(rank, count);
  ASSERT_TRUE(world.Broadcast(OnDevice(from_last), size - 1, "broadcast").ok());
  ASSERT_EQ(from_last, fill(size - 1, count));

  std::vector<T> own = fill(rank, count), all(count * blocks), gathered(rank == 0 ? count * blocks : 0);
  ASSERT_TRUE(world.AllGather(OnDevice(own), OnDevice(all), "all").ok());
  ASSERT_TRUE(world.Gather(OnDevice(own), OnDevice(gathered), 0, "to the first").ok());
  for (int of = 0; of < size; ++of) {
    const auto begin = static_cast<ptrdiff_t>(count) * of;
    ASSERT_TRUE(std::equal(own.begin(), own.end(), all.begin() + begin) || of != rank);
    ASSERT_EQ(all[static_cast<size_t>(begin) + 9], value(of, 9));
    if (rank != 0) continue;
    ASSERT_EQ(gathered[static_cast<size_t>(begin) + 9], value(of, 9));
  }
  if constexpr (sizeof(T) > 1) {
    const auto sum_of = [&](size_t i) { return static_cast<T>(value(0, i) * static_cast<T>(size * (size + 1) / 2)); };
    std::vector<T> sum = fill(rank, count);
    ASSERT_TRUE(world.AllReduceSum(OnDevice(sum), "sum").ok());
    for (size_t i = 0; i < count; i += 13) ASSERT_EQ(sum[i], sum_of(i));
    std::vector<T> parts = fill(rank, count * blocks), mine(count);
    ASSERT_TRUE(world.ReduceScatterSum(OnDevice(parts), OnDevice(mine), "parts").ok());
    const Buffer whole = OnDevice(parts);
    const Buffer place = whole.Part(rank * static_cast<int64_t>(count), static_cast<int64_t>(count));
    ASSERT_TRUE(world.ReduceScatterSum(whole, place, "parts in place").ok());
    for (size_t i = 0; i < count; i += 13) {
      const size_t at = static_cast<size_t>(rank) * count + i;
      ASSERT_EQ(mine[i], sum_of(at));
      ASSERT_EQ(parts[at], sum_of(at));
    }
    ASSERT_TRUE(world.AllGather(place, whole, "sums in place").ok());
    for (size_t i = 0; i < count * blocks; i += 13) ASSERT_EQ(parts[i], sum_of(i));
  }
}

TEST(DeviceCommunicator, MovesEveryTypeByEveryOperation) {
  const auto world = Make();
  CheckType<float>(*world);
  CheckType<double>(*world);
  CheckType<int64_t>(*world);
  CheckType<char>(*world);
  std::vector<uint16_t> narrow(1001, 0x3f80), gathered(1001 * static_cast<size_t>(world->size()));  // 1.0
  ASSERT_TRUE(world->AllReduceSum(BFloat16sOnDevice(narrow), "bfloat16").ok());
  ASSERT_TRUE(world->AllGather(BFloat16sOnDevice(narrow), BFloat16sOnDevice(gathered), "bfloat16").ok());
  const uint16_t expected = world->size() == 1 ? 0x3f80 : world->size() == 2 ? 0x4000 : 0x4080;  // 1, 2, 4
  EXPECT_EQ(narrow[1000], expected);
  EXPECT_EQ(gathered.back(), expected);
  EXPECT_TRUE(world->Check().ok());
}

TEST(DeviceCommunicator, DoesWhatIsInTheHostsMemoryAsBefore) { CheckEverything(*Make()); }

// Each operation reads what the one before it wrote, and nobody waits between them.
TEST(DeviceCommunicator, RunsOperationsInTheirOrder) {
  const auto world = Make();
  std::vector<double> values(5000, 1);
  std::vector<std::unique_ptr<Pending>> pending;
  for (int i = 0; i < 20; ++i) {
    auto started = world->StartAllReduceSum(OnDevice(values), "step");
    ASSERT_TRUE(started.ok()) << started.status().message();
    pending.push_back(std::move(started).value());
  }
  for (auto& one : pending) ASSERT_TRUE(one->Wait().ok());
  EXPECT_EQ(values[4999], std::pow(world->size(), 20));
  for (auto& one : pending) EXPECT_TRUE(one->Poll().value());
}

TEST(DeviceCommunicator, SaysWhenRanksCallDifferentOperations) {
  if (session->size() == 1) GTEST_SKIP() << "one rank differs from nobody";
  const auto world = Make();
  std::vector<float> values(100), more(100 * static_cast<size_t>(world->size()));
  const Status status = world->rank() == 0 ? world->AllReduceSum(OnDevice(values), "one thing")
                                           : world->AllGather(OnDevice(values), OnDevice(more), "another");
  // Whoever meets the other one hears of it, then or later.
  Status later = status;
  const Deadline deadline = Deadline::AfterSeconds(20);
  while (later.ok() && !deadline.Expired()) later = world->Check();
  EXPECT_EQ(later.code(), Code::kUnavailable);
  EXPECT_NE(later.message().find(world->rank() == 0 ? "all-reduce #0 'one thing' on rank 0" : "#0 'another'"),
            std::string::npos)
      << later.message();
}

TEST(DeviceCommunicator, AbortsAtTheDeadlineAndNamesTheOperation) {
  if (session->size() == 1) GTEST_SKIP() << "one rank waits for nobody";
  constexpr double kTimeout = 1;
  auto meeting = session->World();
  ASSERT_TRUE(meeting.ok());
  auto late = Make(kTimeout);
  std::vector<float> values(1000);
  ASSERT_TRUE(late->AllReduceSum(OnDevice(values), "all are there").ok());
  if (session->rank() != 1) {
    const Clock::time_point begin = Clock::now();
    auto started = late->StartAllReduceSum(OnDevice(values), "rank 1 is not there");
    ASSERT_TRUE(started.ok());
    const Status status = started.value()->Wait();
    EXPECT_LT(SecondsSince(begin), kTimeout + 2);
    EXPECT_EQ(status.code(), Code::kDeadlineExceeded) << status.message();
    for (const char* part : {"all-reduce #1 'rank 1 is not there' on rank ", "did not end within 1 s"}) {
      EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
    }
    const Clock::time_point after = Clock::now();
    EXPECT_EQ(late->AllReduceSum(OnDevice(values), "later").code(), Code::kDeadlineExceeded);
    EXPECT_EQ(late->Check().code(), Code::kDeadlineExceeded);
    EXPECT_LT(SecondsSince(after), 0.5);
  }
  ASSERT_TRUE((*meeting)->Barrier("the others have seen their deadline").ok());
  if (session->rank() == 1) {  // it finds the others gone, without a deadline of its own
    Status status = late->AllReduceSum(OnDevice(values), "too late");
    const Deadline deadline = Deadline::AfterSeconds(kTimeout / 2);
    while (status.ok() && !deadline.Expired()) status = late->Check();
    EXPECT_EQ(status.code(), Code::kUnavailable);
    EXPECT_NE(status.message().find("is gone"), std::string::npos) << status.message();
  }
  ASSERT_TRUE((*meeting)->Barrier("end").ok());
}

TEST(DeviceCommunicator, IsNotMadeWhenARankDoesNotJoin) {
  if (session->size() == 1) GTEST_SKIP() << "one rank waits for nobody";
  auto meeting = session->World();
  ASSERT_TRUE(meeting.ok());
  auto device = session->TakeDevice({});
  ASSERT_TRUE(device.ok());
  // Rank 1 takes NCCL's id, and never joins.
  device::EntryPoints away = *device->entry;
  static const device::EntryPoints* real = device->entry;
  away.create = [](device::Collective* out, int, const device::UniqueId*, int) {
    device::UniqueId nobody{};
    std::snprintf(nobody.bytes, sizeof nobody.bytes, "srlm-nobody-%d", getpid());
    return real->create(out, 2, &nobody, 1);  // waits for a rank 0 that is not there
  };
  if (session->rank() == 1) device->entry = &away;
  const auto made = session->World({.timeout_s = 1}, &*device);
  EXPECT_EQ(made.status().code(), Code::kDeadlineExceeded);
  EXPECT_NE(made.status().message().find("NCCL's joining of the ranks on rank"), std::string::npos)
      << made.status().message();
  ASSERT_TRUE((*meeting)->Barrier("end").ok());
}

}  // namespace
}  // namespace srlm::parallel

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  setenv("SRLM_DEVICE_PLUGIN", HOST_DEVICE, 1);
  setenv("SRLM_HOST_DEVICE_NAME", ("ranks-" + std::to_string(getppid())).c_str(), 1);
  auto started = srlm::parallel::MpiSession::Start(&argc, &argv);
  if (!started.ok()) return 1;
  srlm::parallel::session = started.value().get();
  return RUN_ALL_TESTS();
}
