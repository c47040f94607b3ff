// bench_products ROWS...: seconds of the matrix products of one forward of SmolLM2-135M on two threads, by the
// engine's kernels (each element summed in one order, whatever the batch) and by libtorch (MKL, whose order follows
// the shape), in turns. Prints a JSON line for each number of rows.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "worker/engine/kernels/kernels.h"
#include "worker/engine/packed_weights.h"
#include "worker/engine/thread_team.h"

namespace srlm::worker {
namespace {

constexpr int kThreads = 2;
constexpr int kTurns = 7;
constexpr int kBlocks = 30;
struct Shape {
  int64_t n, k;
  int count;
};
// SmolLM2-135M: q|k|v, o, gate|up and down of 30 blocks, and the output projection.
constexpr Shape kShapes[] = {
    {960, 576, kBlocks}, {576, 576, kBlocks}, {3072, 576, kBlocks}, {576, 1536, kBlocks}, {49152, 576, 1}};

double SecondsOf(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// One shape's product, both ways, with the same values. Every layer has weights of its own, as a model has.
class Product {
 public:
  Product(const KernelTable& kernels, Shape shape, int64_t rows)
      : kernels_(kernels),
        shape_(shape),
        rows_(rows),
        in_(at::randn({rows, shape.k})),
        out_(at::empty({rows, shape.n})) {
    for (int layer = 0; layer < shape.count; ++layer) {
      weights_.push_back(at::randn({shape.n, shape.k}));
      packed_.emplace_back(PackedElements(shape.n, shape.k, kernels.panel_columns));
      PackRows(weights_.back().data_ptr<float>(), 0, shape.n, shape.k, kernels.panel_columns, packed_.back().data());
    }
  }
  void Ours(ThreadTeam& team, int thread, int layer) {
    const int64_t panels = (shape_.n + kernels_.panel_columns - 1) / kernels_.panel_columns;
    const auto [begin, end] = team.Part(panels, thread);
    kernels_.linear(in_.data_ptr<float>(), shape_.k, packed_[static_cast<size_t>(layer)].data(), shape_.k, shape_.n,
                    out_.data_ptr<float>(), shape_.n, rows_, begin, end, Store::kSet);
  }
  void Theirs(int layer) { at::mm_out(out_, in_, weights_[static_cast<size_t>(layer)].t()); }
  int layers() const { return shape_.count; }

 private:
  const KernelTable& kernels_;
  Shape shape_;
  int64_t rows_;
  at::Tensor in_, out_;
  std::vector<at::Tensor> weights_;
  std::vector<LazyBuffer> packed_;
};

void Measure(int64_t rows) {
  const KernelTable& kernels = SelectKernels();
  std::vector<Product> products;
  for (const Shape& shape : kShapes) products.emplace_back(kernels, shape, rows);
  ThreadTeam team(kThreads);
  const auto ours = [&] {
    team.Run([&](int thread) {
      for (Product& product : products)
        for (int layer = 0; layer < product.layers(); ++layer) {
          product.Ours(team, thread, layer);
          team.Barrier();
        }
    });
  };
  const auto theirs = [&] {
    for (Product& product : products)
      for (int layer = 0; layer < product.layers(); ++layer) product.Theirs(layer);
  };
  ours();
  theirs();
  std::vector<double> our_seconds, their_seconds;
  for (int turn = 0; turn < kTurns; ++turn) {
    our_seconds.push_back(SecondsOf(ours));
    their_seconds.push_back(SecondsOf(theirs));
  }
  fmt::print("{{\"rows\": {}, \"kernels\": \"{}\", \"ours_s\": {:.5f}, \"theirs_s\": {:.5f}}}\n", rows, kernels.name,
             Median(our_seconds), Median(their_seconds));
}

}  // namespace
}  // namespace srlm::worker

int main(int argc, char** argv) {
  at::set_num_threads(srlm::worker::kThreads);
  for (int i = 1; i < argc; ++i) srlm::worker::Measure(std::atol(argv[i]));
  return argc > 1 ? 0 : 2;
}
