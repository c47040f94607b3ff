// Page tables of running sequences over the pool and the prefix tree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/engine/page_pool.h"
#include "worker/engine/prefix_tree.h"

namespace srlm::worker {

/// The pages that hold a sequence's keys and values, and how far they are known to the prefix tree.
struct PageTable {
  std::vector<int> pages;
  PrefixTree::Node* node = nullptr;  // the prefix of `shared` pages in the tree; null: not shared further
  int shared = 0;
};

class CacheManager {
 public:
  CacheManager(int pages, int page_tokens, bool share_prefixes);

  /// Starts a table with the cached prefix of `tokens`, at most `max_tokens` of it. Returns the tokens it covers.
  int Begin(std::span<const int> tokens, int max_tokens, PageTable& table);
  /// Makes room for `tokens` tokens, giving up cached prefixes that nobody uses. False when there is no page left;
  /// the table then keeps those that it got.
  bool Grow(PageTable& table, int tokens);
  /// Tells the tree of the full pages among the first `computed` tokens.
  void Share(PageTable& table, std::span<const int> tokens, int computed);
  /// A second table with the same `tokens` tokens. A page that is only partly filled cannot be shared: the fork gets
  /// a new one, and copy_from/copy_to say what to copy (-1: nothing). False when there is no page for it.
  bool Fork(const PageTable& table, int tokens, PageTable& fork, int& copy_from, int& copy_to);
  void Release(PageTable& table);

  int PagesFor(int tokens) const { return (tokens + page_tokens_ - 1) / page_tokens_; }
  int pages() const { return pool_.size(); }

 private:
  int Take();

  const int page_tokens_;
  const bool share_prefixes_;
  PagePool pool_;
  PrefixTree tree_;
};

}  // namespace srlm::worker
