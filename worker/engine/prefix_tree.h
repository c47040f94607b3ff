// Which full pages hold the keys and values of which token prefixes: a tree whose edges are pages of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "worker/engine/page_pool.h"

namespace srlm::worker {

/// Holds one reference to each of its pages. The idea is SGLang's radix attention (arXiv 2312.07104) at the
/// granularity of pages.
class PrefixTree {
 public:
  PrefixTree(PagePool& pool, int page_tokens);
  ~PrefixTree();

  struct Node;

  /// The longest cached prefix of `tokens` in whole pages, at most `max_tokens` long. Its pages are held once more
  /// for the caller. `node` is where the prefix ends (for Insert).
  std::vector<int> Match(std::span<const int> tokens, int64_t max_tokens, Node*& node);

  /// Says that `page` holds `tokens` (page_tokens of them) after the prefix of `parent`. Returns the node of that
  /// longer prefix; when it was there already, the tree keeps the page that it has.
  Node* Insert(Node* parent, std::span<const int> tokens, int page);

  /// Gives back pages that only the tree holds, least recently used leaves first, until `wanted` pages are free or
  /// none is left to give.
  void Evict(int wanted);
  /// Forgets everything (the weights have changed).
  void Clear();

 private:
  void CollectLeaves(Node& node, std::vector<Node*>& leaves);
  void DropAll(Node& node);

  PagePool& pool_;
  const size_t page_tokens_;
  std::unique_ptr<Node> root_;
  uint64_t clock_ = 0;
};

struct PrefixTree::Node {
  Node* parent = nullptr;
  std::vector<int> tokens;
  int page = -1;
  uint64_t last_used = 0;
  std::map<std::vector<int>, std::unique_ptr<Node>> children;
};

}  // namespace srlm::worker
