// What every Communicator must do, called by each rank of a group.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "common/parallel/communicator.h"
#include "common/parallel/ordered_sum.h"

namespace srlm::parallel {

inline void CheckSums(Communicator& communicator) {
  const int size = communicator.size(), rank = communicator.rank();
  for (const size_t count : {size_t{1}, size_t{1000}, size_t{9} << 20}) {  // the last in several pieces
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 1000) * static_cast<float>(rank + 1);
    ASSERT_TRUE(communicator.AllReduceSum(BufferOf(std::span(values)), "floats").ok());
    const float ranks_sum = static_cast<float>(size * (size + 1) / 2);
    for (size_t i = 0; i < count; i += 97) ASSERT_EQ(values[i], static_cast<float>(i % 1000) * ranks_sum) << i;
  }
  std::vector<int64_t> integers = {rank, 1};
  ASSERT_TRUE(communicator.AllReduceSum(BufferOf(std::span(integers)), "integers").ok());
  EXPECT_EQ(integers[0], size * (size - 1) / 2);
  EXPECT_EQ(integers[1], size);
  std::vector<double> doubles = {0.1 * (rank + 1)};
  ASSERT_TRUE(communicator.AllReduceSum(BufferOf(std::span(doubles)), "doubles").ok());
  EXPECT_NEAR(doubles[0], 0.1 * size * (size + 1) / 2, 1e-12);
}

/// The same inputs give the same bits, on all ranks and every time.
inline void CheckSumsRepeat(Communicator& communicator) {
  const size_t count = 100000;
  std::vector<float> first;
  for (int run = 0; run < 3; ++run) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) {
      values[i] = 1.0f / static_cast<float>(1 + (i * 7919 + static_cast<size_t>(communicator.rank()) * 104729) % 9973);
    }
    ASSERT_TRUE(communicator.AllReduceSum(BufferOf(std::span(values)), "repeat").ok());
    if (run == 0) first = values;
    ASSERT_EQ(first, values);
  }
  std::vector<float> of_rank_0 = first;
  ASSERT_TRUE(communicator.Broadcast(BufferOf(std::span(of_rank_0)), 0, "compare").ok());
  EXPECT_EQ(first, of_rank_0);
}

inline void CheckBroadcastAndGather(Communicator& communicator) {
  const int size = communicator.size(), rank = communicator.rank();
  std::vector<int64_t> values(3, rank);
  ASSERT_TRUE(communicator.Broadcast(BufferOf(std::span(values)), size - 1, "from the last").ok());
  EXPECT_EQ(values, std::vector<int64_t>(3, size - 1));
  std::vector<int64_t> send = {rank, 10 * rank}, receive(2 * static_cast<size_t>(size));
  ASSERT_TRUE(communicator.AllGather(BufferOf(std::span(send)), BufferOf(std::span(receive)), "gather").ok());
  for (int other = 0; other < size; ++other) EXPECT_EQ(receive[2 * static_cast<size_t>(other) + 1], 10 * other);
  const bool last = rank == size - 1;
  std::vector<int64_t> at_last(last ? receive.size() : 0);
  ASSERT_TRUE(
      communicator.Gather(BufferOf(std::span(send)), BufferOf(std::span(at_last)), size - 1, "gather at one").ok());
  EXPECT_EQ(at_last, last ? receive : std::vector<int64_t>());
  std::vector<char> text = {static_cast<char>('a' + rank)};
  ASSERT_TRUE(communicator.Broadcast(BufferOf(std::span(text)), 0, "text").ok());
  EXPECT_EQ(text[0], 'a');
  EXPECT_TRUE(communicator.Barrier("end").ok());
}

/// A value of a rank whose sums over ranks depend on their order.
inline float ValueOf(int rank, size_t i) {
  return (rank % 2 == 0 ? 1.0f : -1.0f) /
         static_cast<float>(1 + (i * 7919 + static_cast<size_t>(rank) * 104729) % 9973);
}
inline float SumInRankOrder(int ranks, size_t i) {
  float sum = ValueOf(0, i);
  for (int rank = 1; rank < ranks; ++rank) sum += ValueOf(rank, i);
  return sum;
}

/// Each rank has its block of the sums, in rank order bit for bit; gathered in place, every rank has all.
inline void CheckReduceScatter(Communicator& communicator) {
  const auto ranks = static_cast<size_t>(communicator.size()), rank = static_cast<size_t>(communicator.rank());
  for (const size_t block : {size_t{1}, size_t{1000}, (size_t{5} << 20) + 3}) {  // the last in several pieces
    for (const bool in_place : {false, true}) {
      std::vector<float> values(block * ranks), apart(block);
      for (size_t i = 0; i < values.size(); ++i) values[i] = ValueOf(communicator.rank(), i);
      const Buffer all = BufferOf(std::span(values));
      const Buffer mine = all.Part(communicator.rank() * static_cast<int64_t>(block), static_cast<int64_t>(block));
      const Buffer out = in_place ? mine : BufferOf(std::span(apart));
      ASSERT_TRUE(communicator.ReduceScatterSum(all, out, "sums").ok());
      const auto* sums = static_cast<const float*>(out.data);
      for (size_t i = 0; i < block; i += 1 + block / 1000) {
        ASSERT_EQ(sums[i], SumInRankOrder(communicator.size(), rank * block + i)) << i << " of " << block;
      }
      if (!in_place) continue;
      ASSERT_TRUE(communicator.AllGather(mine, all, "all sums").ok());
      for (size_t i = 0; i < values.size(); i += 1 + block / 1000) {
        ASSERT_EQ(values[i], SumInRankOrder(communicator.size(), i)) << i << " of " << block;
      }
    }
  }
}

/// Every element is the sum in rank order, bit for bit, however many there are.
inline void CheckOrderedSums(Communicator& communicator) {
  OrderedSum sums(communicator);
  for (const size_t count : {size_t{1}, size_t{7}, size_t{4096}, size_t{4097}, size_t{100003}}) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = ValueOf(communicator.rank(), i);
    ASSERT_TRUE(sums.Sum(values, "in order").ok());
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(values[i], SumInRankOrder(communicator.size(), i)) << i << " of " << count;
    }
  }
}

/// Several operations under way at once end in their order.
inline void CheckOverlap(Communicator& communicator) {
  std::vector<std::vector<float>> values(4, std::vector<float>(1000, 1.0f));
  std::vector<std::unique_ptr<Pending>> pending;
  for (auto& buffer : values) {
    auto started = communicator.StartAllReduceSum(BufferOf(std::span(buffer)), "overlap");
    ASSERT_TRUE(started.ok());
    pending.push_back(std::move(started).value());
    for (auto& one : pending) ASSERT_TRUE(one->Poll().ok());
  }
  for (auto& one : pending) ASSERT_TRUE(one->Wait().ok());
  for (const auto& buffer : values) EXPECT_EQ(buffer[999], static_cast<float>(communicator.size()));
}

inline void CheckAgreement(Communicator& communicator) {
  EXPECT_TRUE(Agree(communicator, OkStatus(), "all well").status.ok());
  const bool last = communicator.rank() == communicator.size() - 1;
  const auto [status, together] = Agree(communicator, last ? InvalidArgument("mine") : OkStatus(), "one failed");
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(together);
  EXPECT_NE(status.message().find(last ? "mine" : std::to_string(communicator.size() - 1)), std::string::npos);
}

inline void CheckEverything(Communicator& communicator) {
  CheckSums(communicator);
  CheckSumsRepeat(communicator);
  CheckBroadcastAndGather(communicator);
  CheckReduceScatter(communicator);
  CheckOrderedSums(communicator);
  CheckOverlap(communicator);
  CheckAgreement(communicator);
}

}  // namespace srlm::parallel
