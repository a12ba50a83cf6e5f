# Debian's packages, one interface target each, so that a folder names only what it uses.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(PkgConfig REQUIRED)

if(CLOAKROOM_PORTABLE)
  cloakroom_link_in_absl()
endif()
add_library(cloakroom_absl INTERFACE)
target_link_libraries(cloakroom_absl INTERFACE
  absl::base absl::synchronization absl::flat_hash_map absl::flat_hash_set absl::hash absl::strings absl::inlined_vector
  absl::span absl::random_random absl::function_ref absl::str_format absl::status absl::statusor)

# The sanitizers bring their own allocator, which storage/base/memory_meter.cc knows how to ask.
add_library(cloakroom_allocator INTERFACE)
if(NOT CLOAKROOM_SANITIZE)
  find_library(JEMALLOC_LIBRARY NAMES libjemalloc.a REQUIRED)
  target_link_libraries(cloakroom_allocator INTERFACE ${JEMALLOC_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS} m)
  target_compile_definitions(cloakroom_allocator INTERFACE CLOAKROOM_JEMALLOC=1)
endif()

find_path(ASIO_INCLUDE_DIR boost/asio.hpp REQUIRED)
add_library(cloakroom_asio INTERFACE)
target_include_directories(cloakroom_asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
target_compile_definitions(cloakroom_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS)
target_link_libraries(cloakroom_asio INTERFACE Threads::Threads)

find_package(spdlog REQUIRED)
add_library(cloakroom_spdlog INTERFACE)
if(CLOAKROOM_PORTABLE)
  target_link_libraries(cloakroom_spdlog INTERFACE spdlog::spdlog_header_only fmt::fmt-header-only)
else()
  target_link_libraries(cloakroom_spdlog INTERFACE spdlog::spdlog)
endif()

find_path(LUA_INCLUDE_DIR lua.h PATH_SUFFIXES lua5.1 REQUIRED)
find_path(LUA_MODULES_INCLUDE_DIR lua5.1/lua-cjson.h REQUIRED)
# What lua.h includes by its name alone; among the compiler's own folders unless it compiles for another machine.
find_path(LUA_MULTIARCH_INCLUDE_DIR lua5.1-deb-multiarch.h REQUIRED)
find_library(LUA_LIBRARY NAMES liblua5.1.a REQUIRED)
find_library(LUA_CJSON_LIBRARY NAMES liblua5.1-cjson.a REQUIRED)
find_library(LUA_BITOP_LIBRARY NAMES liblua5.1-bitop.a REQUIRED)
add_library(cloakroom_lua INTERFACE)
target_include_directories(cloakroom_lua SYSTEM INTERFACE ${LUA_INCLUDE_DIR} ${LUA_MODULES_INCLUDE_DIR} ${LUA_MULTIARCH_INCLUDE_DIR})
target_link_libraries(cloakroom_lua INTERFACE ${LUA_CJSON_LIBRARY} ${LUA_BITOP_LIBRARY} ${LUA_LIBRARY} m ${CMAKE_DL_LIBS})
