# What `./dev package` puts into the .deb and the .rpm, once for both: each file with its place and mode. packaging/README.md says
# why. Owners other than root are given by packaging/scripts (.deb) and by the file list below (.rpm).
set(CLOAKROOM_PACKAGE_RELEASE 1 CACHE STRING "The packages' release of this version")
set(CLOAKROOM_PACKAGE_CONTACT "Cloakroom packages <packages@cloakroom.example>" CACHE STRING "Who publishes the packages")

set(programs)
foreach(program cloakroom-server cloakroom-check-rdb cloakroom-check-aof cloakroom-drill)
  if(TARGET ${program})
    cloakroom_portable(${program})
    list(APPEND programs ${program})
  endif()
endforeach()

set(from ${CMAKE_SOURCE_DIR}/packaging)
set(made ${CMAKE_BINARY_DIR}/packaging)
file(MAKE_DIRECTORY ${made})
file(STRINGS ${from}/changelog changed LIMIT_COUNT 1 REGEX "^ -- ")
string(REGEX REPLACE "^ -- .*>  ...?, (.*) [0-9:]+ .*$" "\\1" changed "${changed}")

# ---- generated when `package_files` is built ----------------------------------------------------

find_package(Python3 COMPONENTS Interpreter)
set(made_files)
function(cloakroom_make file)
  cmake_parse_arguments(MAKE "" "" "COMMAND;FROM" ${ARGN})
  add_custom_command(OUTPUT ${made}/${file} COMMAND ${MAKE_COMMAND} > ${made}/${file} DEPENDS ${MAKE_FROM} VERBATIM)
  set(made_files ${made_files} ${made}/${file} PARENT_SCOPE)
endfunction()
set(manual ${Python3_EXECUTABLE} ${from}/manual.py)

set(help_of_cloakroom-server ${CMAKE_SOURCE_DIR}/server/process/command_line_help.cc)
set(help_of_cloakroom-check-rdb ${CMAKE_SOURCE_DIR}/replication/check/check_rdb_help.h)
set(help_of_cloakroom-check-aof ${CMAKE_SOURCE_DIR}/replication/check/check_aof_help.h)
set(help_of_cloakroom-drill ${CMAKE_SOURCE_DIR}/clients/drill/help.h)
foreach(program IN LISTS programs)
  cloakroom_make(${program}.8 COMMAND ${manual} page ${help_of_${program}} ${PROJECT_VERSION} ${changed}
    FROM ${help_of_${program}} ${from}/manual.py)
  cloakroom_make(${program}.8.gz COMMAND gzip -9nc ${made}/${program}.8 FROM ${made}/${program}.8)
endforeach()
# Where it is cross-compiled, CMake runs the server by its CMAKE_CROSSCOMPILING_EMULATOR.
cloakroom_make(defaults COMMAND cloakroom-server --print-defaults FROM cloakroom-server)
cloakroom_make(cloakroom-server.bash COMMAND ${manual} completion ${help_of_cloakroom-server} ${made}/defaults
  FROM ${help_of_cloakroom-server} ${made}/defaults ${from}/manual.py)
cloakroom_make(cloakroom.conf.5 COMMAND ${manual} conf ${CMAKE_SOURCE_DIR}/cloakroom.conf ${PROJECT_VERSION} ${changed}
  FROM ${CMAKE_SOURCE_DIR}/cloakroom.conf ${from}/manual.py)
cloakroom_make(cloakroom.conf.5.gz COMMAND gzip -9nc ${made}/cloakroom.conf.5 FROM ${made}/cloakroom.conf.5)
cloakroom_make(changelog.Debian.gz COMMAND gzip -9nc ${from}/changelog FROM ${from}/changelog)
cloakroom_make(cloakroom.conf
  COMMAND ${Python3_EXECUTABLE} ${from}/package_conf.py ${CMAKE_SOURCE_DIR}/cloakroom.conf ${from}/package.conf
  FROM ${CMAKE_SOURCE_DIR}/cloakroom.conf ${from}/package.conf ${from}/package_conf.py)

add_custom_target(package_files DEPENDS ${made_files} ${programs})

# ---- generated here -----------------------------------------------------------------------------

function(service_unit file OF_INSTANCE ARGUMENTS STATE RUNTIME)
  configure_file(${from}/systemd/cloakroom-server.service.in ${made}/${file} @ONLY)
endfunction()
service_unit(cloakroom-server.service "" "/etc/cloakroom/cloakroom.conf" cloakroom cloakroom)
service_unit(cloakroom-server@.service ", instance %i"
  "/etc/cloakroom/%i.conf --dir /var/lib/cloakroom/%i --logfile /var/log/cloakroom/%i.log" cloakroom/%i cloakroom-%i)

file(READ ${from}/scripts/create_user.sh CREATE_USER)
file(READ ${from}/scripts/instances.sh INSTANCES)
configure_file(${from}/scripts/deb/postinst.in ${made}/postinst @ONLY)
configure_file(${from}/scripts/rpm/preun.sh.in ${made}/preun.sh @ONLY)
foreach(script preinst prerm postrm)
  configure_file(${from}/scripts/deb/${script} ${made}/${script} COPYONLY)
endforeach()
file(CHMOD ${made}/preinst ${made}/postinst ${made}/prerm ${made}/postrm
  PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# ---- where everything goes ----------------------------------------------------------------------

set(private OWNER_READ OWNER_WRITE OWNER_EXECUTE)
install(TARGETS ${programs} RUNTIME DESTINATION usr/bin COMPONENT main)
install(DIRECTORY DESTINATION etc/cloakroom DIRECTORY_PERMISSIONS ${private} COMPONENT main)
install(DIRECTORY DESTINATION var/lib/cloakroom DIRECTORY_PERMISSIONS ${private} COMPONENT main)
install(DIRECTORY DESTINATION var/log/cloakroom DIRECTORY_PERMISSIONS ${private} COMPONENT main)
install(FILES ${made}/cloakroom.conf DESTINATION etc/cloakroom PERMISSIONS OWNER_READ OWNER_WRITE COMPONENT main)
install(FILES ${from}/files/cloakroom.logrotate DESTINATION etc/logrotate.d RENAME cloakroom COMPONENT main)
install(FILES ${from}/files/30-cloakroom.sysctl DESTINATION usr/lib/sysctl.d RENAME 30-cloakroom.conf COMPONENT main)
install(FILES ${made}/cloakroom-server.service ${made}/cloakroom-server@.service DESTINATION usr/lib/systemd/system
  COMPONENT main)
install(FILES ${made}/cloakroom-server.bash DESTINATION usr/share/bash-completion/completions RENAME cloakroom-server
  COMPONENT main)
install(FILES ${made}/cloakroom.conf.5.gz DESTINATION usr/share/man/man5 COMPONENT main)
foreach(program IN LISTS programs)
  install(FILES ${made}/${program}.8.gz DESTINATION usr/share/man/man8 COMPONENT main)
endforeach()
install(FILES ${from}/copyright DESTINATION usr/share/doc/cloakroom COMPONENT main)
install(DIRECTORY ${from}/magento DESTINATION usr/share/doc/cloakroom COMPONENT main FILES_MATCHING PATTERN *.md)
install(FILES ${made}/changelog.Debian.gz DESTINATION usr/share/doc/cloakroom COMPONENT debian)
install(FILES ${from}/lintian-overrides DESTINATION usr/share/lintian/overrides RENAME cloakroom COMPONENT debian)

# ---- CPack --------------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB RPM)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/cmake/PackageKind.cmake)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_SOURCE_DIR}/build/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES TRUE)
set(CPACK_PACKAGE_NAME cloakroom)
set(CPACK_PACKAGE_VENDOR Cloakroom)
set(CPACK_PACKAGE_CONTACT "${CLOAKROOM_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "session and object cache server that speaks the Redis protocol")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${from}/description)

if(CMAKE_CROSSCOMPILING)
  # What a package is for, and what it needs there, is not to be found out on this machine.
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
  set(CPACK_RPM_PACKAGE_ARCHITECTURE aarch64)
  set(libc "libc6 (>= 2.34), ")
else()
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CLOAKROOM_PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${libc}passwd")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS logrotate)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${made}/preinst ${made}/postinst ${made}/prerm ${made}/postrm
  ${from}/scripts/deb/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE ${CLOAKROOM_PACKAGE_RELEASE})
set(CPACK_RPM_PACKAGE_SUMMARY "Session and object cache server that speaks the Redis protocol")
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_GROUP Applications/Databases)
set(CPACK_RPM_PACKAGE_REQUIRES_PRE shadow-utils)
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_PRE_INSTALL_SCRIPT_FILE ${from}/scripts/create_user.sh)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${from}/scripts/rpm/post.sh)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${made}/preun.sh)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${from}/scripts/rpm/postun.sh)
set(CPACK_RPM_PACKAGE_SUGGESTS logrotate)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none
%define packager ${CLOAKROOM_PACKAGE_CONTACT}")
set(CPACK_RPM_USER_FILELIST
  "%dir %attr(0700,cloakroom,cloakroom) /etc/cloakroom"
  "%config(noreplace) %attr(0600,cloakroom,cloakroom) /etc/cloakroom/cloakroom.conf"
  "%config(noreplace) /etc/logrotate.d/cloakroom"
  "%dir %attr(0700,cloakroom,cloakroom) /var/lib/cloakroom"
  "%dir %attr(0700,cloakroom,cloakroom) /var/log/cloakroom")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /etc/logrotate.d /usr/lib/systemd /usr/lib/systemd/system /usr/lib/sysctl.d /usr/share/bash-completion
  /usr/share/bash-completion/completions /usr/share/man /usr/share/man/man5 /usr/share/man/man8 /var /var/lib /var/log)
include(CPack)
