// The ledger's three ways to write, for the files that implement it.
#pragma once

#include <memory>
#include <tuple>

#include "coordinator/ledger/ledger.h"
#include "coordinator/ledger/tables.h"

namespace srlm::ledger {

template <class Row>
Result<bool> Ledger::Add(const Row& row) {
  const auto is_new = std::make_shared<bool>(false);
  SRLM_RETURN_IF_ERROR(Write([this, row, is_new] {
    SRLM_ASSIGN_OR_RETURN(*is_new, Insert(*database_, IfThere::kKeep, row));
    return OkStatus();
  }));
  return *is_new;
}

template <class Row>
Status Ledger::Set(const Row& row) {
  return Write([this, row] { return Insert(*database_, IfThere::kReplace, row).status(); });
}

template <class... V>
Status Ledger::Update(const std::string& sql, const V&... parameters) {
  return Write([this, sql, values = std::tuple<std::decay_t<V>...>(parameters...)] {
    SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare(sql));
    std::apply([&](const auto&... each) { query.BindNext(each...); }, values);
    return query.Run();
  });
}

}  // namespace srlm::ledger
