#include "worker/engine/prefix_tree.h"

#include <algorithm>

namespace srlm::worker {

PrefixTree::PrefixTree(PagePool& pool, int page_tokens)
    : pool_(pool), page_tokens_(static_cast<size_t>(page_tokens)), root_(std::make_unique<Node>()) {}

PrefixTree::~PrefixTree() { Clear(); }

std::vector<int> PrefixTree::Match(std::span<const int> tokens, int64_t max_tokens, Node*& node) {
  std::vector<int> pages;
  node = root_.get();
  ++clock_;
  const size_t limit = std::min(tokens.size(), static_cast<size_t>(std::max<int64_t>(0, max_tokens)));
  for (size_t begin = 0; begin + page_tokens_ <= limit; begin += page_tokens_) {
    const auto part = tokens.subspan(begin, page_tokens_);
    const auto child = node->children.find({part.begin(), part.end()});
    if (child == node->children.end()) break;
    node = child->second.get();
    node->last_used = clock_;
    pool_.Hold(node->page);
    pages.push_back(node->page);
  }
  return pages;
}

PrefixTree::Node* PrefixTree::Insert(Node* parent, std::span<const int> tokens, int page) {
  std::unique_ptr<Node>& child = parent->children[{tokens.begin(), tokens.end()}];
  if (!child) {
    child = std::make_unique<Node>();
    child->parent = parent;
    child->tokens.assign(tokens.begin(), tokens.end());
    child->page = page;
    pool_.Hold(page);
  }
  child->last_used = clock_;
  return child.get();
}

void PrefixTree::CollectLeaves(Node& node, std::vector<Node*>& leaves) {
  for (auto& [tokens, child] : node.children) {
    if (child->children.empty()) {
      if (pool_.holders(child->page) == 1) leaves.push_back(child.get());
    } else {
      CollectLeaves(*child, leaves);
    }
  }
}

void PrefixTree::Evict(int wanted) {
  while (pool_.free() < wanted) {
    std::vector<Node*> leaves;
    CollectLeaves(*root_, leaves);
    if (leaves.empty()) return;
    std::ranges::sort(leaves, {}, [](const Node* leaf) { return leaf->last_used; });
    for (Node* leaf : leaves) {
      if (pool_.free() >= wanted) return;
      pool_.Drop(leaf->page);
      const std::vector<int> key = leaf->tokens;
      leaf->parent->children.erase(key);
    }
  }
}

void PrefixTree::DropAll(Node& node) {
  for (auto& [tokens, child] : node.children) {
    DropAll(*child);
    pool_.Drop(child->page);
  }
}

void PrefixTree::Clear() {
  DropAll(*root_);
  root_->children.clear();
}

}  // namespace srlm::worker
