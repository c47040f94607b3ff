// The ledger's three ways to write, for the files that implement it.
#pragma once

#include "coordinator/ledger/ledger.h"
#include "coordinator/ledger/tables.h"

namespace srlm::ledger {

template <class Row>
Result<bool> Ledger::Add(const Row& row) {
  SRLM_RETURN_IF_ERROR(BeforeWrite());
  Result<bool> is_new = Insert(*database_, IfThere::kKeep, row);
  SRLM_RETURN_IF_ERROR(Keep(is_new.status()));
  return is_new;
}

template <class Row>
Status Ledger::Set(const Row& row) {
  SRLM_RETURN_IF_ERROR(BeforeWrite());
  return Keep(Insert(*database_, IfThere::kReplace, row).status());
}

template <class... V>
Status Ledger::Update(const std::string& sql, const V&... parameters) {
  SRLM_RETURN_IF_ERROR(BeforeWrite());
  Result<Query> query = database_->Prepare(sql);
  if (!query.ok()) return Keep(query.status());
  query->BindNext(parameters...);
  return Keep(query->Run());
}

}  // namespace srlm::ledger
