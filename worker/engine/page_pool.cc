#include "worker/engine/page_pool.h"

#include "common/base/check.h"

namespace srlm::worker {

PagePool::PagePool(int pages) : holders_(static_cast<size_t>(pages), 0) {
  for (int page = pages - 1; page >= 0; --page) free_.push_back(page);
}

int PagePool::Take() {
  if (free_.empty()) return -1;
  const int page = free_.back();
  free_.pop_back();
  holders_[static_cast<size_t>(page)] = 1;
  return page;
}

void PagePool::Drop(int page) {
  int& holders = holders_[static_cast<size_t>(page)];
  SRLM_CHECK(holders > 0, "a page was dropped more often than it was held");
  if (--holders == 0) free_.push_back(page);
}

}  // namespace srlm::worker
