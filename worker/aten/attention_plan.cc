#include "worker/aten/attention_plan.h"

#include <algorithm>

namespace srlm::worker {
namespace {

constexpr int64_t kGatheredTokens = int64_t{64} << 10;  // of one call: a padded place counts

/// First position that a row at `position` sees.
int64_t FirstSeen(int64_t position, int64_t window) {
  return window > 0 ? std::max<int64_t>(0, position - window + 1) : 0;
}

int64_t SlotOf(const SequenceSpan& span, int64_t position, int page_tokens) {
  return int64_t{(*span.pages)[static_cast<size_t>(position / page_tokens)]} * page_tokens + position % page_tokens;
}

at::Tensor Longs(std::vector<int64_t>& values, at::Device device) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kLong).clone().to(device);
}

/// One call for spans that have one row each; the first is the longest.
AttentionCall Decode(std::span<const SequenceSpan* const> spans, int page_tokens, int64_t window, at::Device device) {
  const auto seen = [&](const SequenceSpan& span) { return span.position + 1 - FirstSeen(span.position, window); };
  AttentionCall call;
  call.spans = static_cast<int64_t>(spans.size());
  call.span_rows = 1;
  for (const SequenceSpan* span : spans) call.context = std::max<int64_t>(call.context, seen(*span));
  std::vector<int64_t> rows, slots(static_cast<size_t>(call.spans * call.context), 0), lengths;
  for (const SequenceSpan* span : spans) {
    const int64_t first = FirstSeen(span->position, window), count = seen(*span);
    auto place = slots.begin() + static_cast<int64_t>(rows.size()) * call.context;
    for (int64_t i = 0; i < count; ++i) *place++ = SlotOf(*span, first + i, page_tokens);
    rows.push_back(span->row);
    lengths.push_back(count);
  }
  call.rows = Longs(rows, device);
  call.slots = Longs(slots, device);
  const at::Tensor places = at::arange(call.context, at::TensorOptions(device).dtype(at::kLong));
  call.mask = (places.unsqueeze(0) < Longs(lengths, device).unsqueeze(1)).view({call.spans, 1, 1, call.context});
  return call;
}

/// The same for the kernel that reads pages.
AttentionCall DecodePaged(std::span<const SequenceSpan* const> spans, int page_tokens, at::Device device) {
  AttentionCall call;
  call.spans = static_cast<int64_t>(spans.size());
  call.span_rows = 1;
  const auto pages_of = [&](const SequenceSpan& span) { return span.position / page_tokens + 1; };
  int64_t most = 0;
  for (const SequenceSpan* span : spans) most = std::max<int64_t>(most, pages_of(*span));
  std::vector<int64_t> rows;
  std::vector<int> pages(static_cast<size_t>(call.spans * most), 0), lengths;
  for (const SequenceSpan* span : spans) {
    std::copy_n(span->pages->begin(), pages_of(*span), pages.begin() + static_cast<int64_t>(rows.size()) * most);
    rows.push_back(span->row);
    lengths.push_back(span->position + 1);
  }
  const auto ints = [&](std::vector<int>& values) {
    return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kInt).clone().to(device);
  };
  call.rows = Longs(rows, device);
  call.pages = ints(pages).view({call.spans, most});
  call.lengths = ints(lengths);
  return call;
}

/// One call for the rows of one span.
AttentionCall Prefill(const SequenceSpan& span, int page_tokens, int64_t window, at::Device device) {
  AttentionCall call;
  call.spans = 1;
  call.span_rows = span.rows;
  const int64_t first = FirstSeen(span.position, window), end = span.position + span.rows;
  call.context = end - first;
  std::vector<int64_t> rows, slots;
  for (int64_t i = 0; i < span.rows; ++i) rows.push_back(span.row + i);
  for (int64_t position = first; position < end; ++position) slots.push_back(SlotOf(span, position, page_tokens));
  call.rows = Longs(rows, device);
  call.slots = Longs(slots, device);
  if (span.position == 0 && (window == 0 || end <= window)) return call;
  const auto longs = at::TensorOptions(device).dtype(at::kLong);
  const at::Tensor query = at::arange(int64_t{span.position}, end, longs).unsqueeze(1);
  const at::Tensor key = at::arange(first, end, longs).unsqueeze(0);
  at::Tensor mask = key <= query;
  if (window > 0) mask = mask & (key > query - window);
  call.mask = mask.view({1, 1, call.span_rows, call.context});
  return call;
}

}  // namespace

std::vector<AttentionCall> PlanAttention(const StepBatch& batch, int page_tokens, int64_t window, bool paged,
                                         at::Device device) {
  std::vector<AttentionCall> calls;
  std::vector<const SequenceSpan*> decoding;
  for (const SequenceSpan& span : batch.spans) {
    if (span.rows == 1) {
      decoding.push_back(&span);
    } else {
      calls.push_back(Prefill(span, page_tokens, window, device));
    }
  }
  if (paged) {
    if (!decoding.empty()) calls.push_back(DecodePaged(decoding, page_tokens, device));
    return calls;
  }
  std::ranges::stable_sort(decoding, std::ranges::greater(), [](const SequenceSpan* span) { return span->position; });
  for (size_t begin = 0; begin < decoding.size();) {
    const int64_t longest = decoding[begin]->position + 1;
    const auto fit = static_cast<size_t>(std::max<int64_t>(1, kGatheredTokens / longest));
    const size_t count = std::min(decoding.size() - begin, fit);
    calls.push_back(Decode(std::span(decoding).subspan(begin, count), page_tokens, window, device));
    begin += count;
  }
  return calls;
}

}  // namespace srlm::worker
