// Pages of the KV cache: who holds them, and where their keys and values are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace srlm::worker {

/// Reference counts of a fixed number of pages. A page goes back when nobody holds it.
class PagePool {
 public:
  explicit PagePool(int pages);

  /// A free page with one holder, or -1 when there is none.
  int Take();
  void Hold(int page) { ++holders_[static_cast<size_t>(page)]; }
  void Drop(int page);
  int holders(int page) const { return holders_[static_cast<size_t>(page)]; }
  int free() const { return static_cast<int>(free_.size()); }
  int size() const { return static_cast<int>(holders_.size()); }

 private:
  std::vector<int> holders_;
  std::vector<int> free_;  // the last one freed is used first: its memory is warm
};

}  // namespace srlm::worker
