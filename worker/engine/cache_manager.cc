#include "worker/engine/cache_manager.h"

#include <algorithm>

namespace srlm::worker {

CacheManager::CacheManager(int pages, int page_tokens, bool share_prefixes)
    : page_tokens_(page_tokens), share_prefixes_(share_prefixes), pool_(pages), tree_(pool_, page_tokens) {}

int CacheManager::Begin(std::span<const int> tokens, int max_tokens, PageTable& table) {
  if (!share_prefixes_) return 0;
  table.pages = tree_.Match(tokens, max_tokens, table.node);
  table.shared = static_cast<int>(table.pages.size());
  return table.shared * page_tokens_;
}

int CacheManager::Take() {
  if (pool_.free() == 0) tree_.Evict(std::max(1, pool_.size() / 16));  // many at once: looking for leaves costs a walk
  return pool_.Take();
}

bool CacheManager::Grow(PageTable& table, int tokens) {
  while (static_cast<int>(table.pages.size()) < PagesFor(tokens)) {
    const int page = Take();
    if (page < 0) return false;
    table.pages.push_back(page);
  }
  return true;
}

void CacheManager::Share(PageTable& table, std::span<const int> tokens, int computed) {
  while (table.node != nullptr && (table.shared + 1) * page_tokens_ <= computed) {
    const int page = table.pages[static_cast<size_t>(table.shared)];
    const auto part =
        tokens.subspan(static_cast<size_t>(table.shared * page_tokens_), static_cast<size_t>(page_tokens_));
    PrefixTree::Node* node = tree_.Insert(table.node, part, page);
    // Another sequence's page stands there already. It could be evicted under us, so this table shares no further.
    table.node = node->page == page ? node : nullptr;
    ++table.shared;
  }
}

bool CacheManager::Fork(const PageTable& table, int tokens, PageTable& fork, int& copy_from, int& copy_to) {
  copy_from = copy_to = -1;
  const int full = tokens / page_tokens_;
  fork.node = table.node;
  fork.shared = std::min(table.shared, full);
  if (tokens % page_tokens_ != 0) {
    copy_to = Take();
    if (copy_to < 0) return false;
    copy_from = table.pages[static_cast<size_t>(full)];
  }
  for (int i = 0; i < full; ++i) {
    pool_.Hold(table.pages[static_cast<size_t>(i)]);
    fork.pages.push_back(table.pages[static_cast<size_t>(i)]);
  }
  if (copy_to >= 0) fork.pages.push_back(copy_to);
  return true;
}

void CacheManager::Release(PageTable& table) {
  for (const int page : table.pages) pool_.Drop(page);
  table = {};
}

}  // namespace srlm::worker
