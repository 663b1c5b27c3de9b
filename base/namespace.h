// Namespace — whose workflows, executions and names are meant.
//
// It comes from the credential of whoever calls; until there are credentials there is one,
// `default`, and a default-constructed Namespace is it.  Two are equal when their names are.
// Thread-safety: a plain value.
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace stepwell {

class Namespace {
 public:
  Namespace() = default;
  explicit Namespace(std::string name, std::string account = "000000000000")
      : name_(std::move(name)), account_(std::move(account)) {}

  const std::string& name() const { return name_; }
  // What ARNs say: twelve digits, and a region.
  const std::string& account() const { return account_; }
  std::string region() const { return "local"; }

  friend bool operator==(const Namespace& a, const Namespace& b) { return a.name_ == b.name_; }
  friend std::strong_ordering operator<=>(const Namespace& a, const Namespace& b) {
    return a.name_ <=> b.name_;
  }

 private:
  std::string name_ = "default";
  std::string account_ = "000000000000";
};

}  // namespace stepwell
