#include "tests/e2e/chaos/servers.h"

#include <filesystem>

#include "engine/postgres/link.h"

namespace stepwell::chaos {
namespace {

// "postgresql:///stepwell?host=FOLDER&user=stepwell": the folder.
std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("host=") + 5;
  return url.substr(begin, url.find('&', begin) - begin);
}

}  // namespace

Result<std::unique_ptr<Servers>> Servers::open(const std::string& directory, bool is_pair) {
  std::unique_ptr<Servers> servers(new Servers(directory));
  servers->primary_folder_ = directory + "/cluster";
  servers->primary_ = TRY(
      postgres::Cluster::open({.directory = servers->primary_folder_, .dies_with_parent = true}));
  servers->url_ = servers->primary_->url();
  if (is_pair) TRY(servers->pair());
  return servers;
}

Status Servers::pair() {
  standby_folder_ = directory_ + "/other";
  const auto admin = TRY(
      postgres::Link::open({.url = primary_->admin_url(), .label = "chaos"}, {.name = "admin"}));
  // The standby gets it with the copy, and waits for its own standby from its promotion on.
  for (const char* sql :
       {"ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"}) {
    const postgres::Answer set = admin->run_script(sql);
    if (!set.ok()) return set.trouble().error("make a pair");
  }
  TRY(open_standby());
  url_ = "postgresql:///stepwell?host=" + host_of(primary_->url()) + "," +
         host_of(standby_->url()) + "&user=stepwell&target_session_attrs=read-write";
  return ok_status();
}

Status Servers::open_standby() {
  standby_ = TRY(postgres::Cluster::open({.directory = standby_folder_,
                                          .standby_of = primary_->admin_url(),
                                          .dies_with_parent = true}));
  return ok_status();
}

Status Servers::crash() {
  TRY(primary_->crash());
  return primary_->start();
}

Status Servers::fail_over() {
  TRY(primary_->crash());
  TRY(standby_->promote());
  std::swap(primary_, standby_);
  std::swap(primary_folder_, standby_folder_);
  standby_.reset();
  std::filesystem::remove_all(standby_folder_);
  return open_standby();
}

}  // namespace stepwell::chaos
