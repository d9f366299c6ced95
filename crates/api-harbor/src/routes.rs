//! Every operation of this door, on one screen. What stands here is whole; nothing else is answered.

use crate::route::{Operation, Route};
use crate::{
    configuration, groups, health, members, metadata, permissions, ping, projects, robots, search, session,
    system, users, version,
};

/// Rows of method, path, id and handler; `open` ones ask nobody who they are, and `strangers`
/// may send something to the others that say so.
macro_rules! routes {
    ($($method:ident $path:literal $id:ident => $handler:path $(, $who:ident)?;)*) => {
        &[$(Route {
            operation: Operation {
                method: stringify!($method),
                path: $path,
                id: stringify!($id),
                open: routes!(@open $($who)?),
                strangers: routes!(@strangers $($who)?),
            },
            handler: |call| Box::pin($handler(call)),
        },)*]
    };
    (@open open) => { true };
    (@open $($who:ident)?) => { false };
    (@strangers $who:ident) => { true };
    (@strangers) => { false };
}

/// Words before names: the first row that fits is taken.
#[rustfmt::skip]
pub(crate) static ROUTES: &[Route] = routes! {
    GET    "/api/version"                                                   getVersion                => version::get, open;
    POST   "/c/login"                                                       login                     => session::log_in, open;
    GET    "/c/log_out"                                                     logOut                    => session::log_out, open;
    POST   "/c/userExists"                                                  userExists                => users::exists, strangers;

    GET    "/api/v2.0/ping"                                                 getPing                   => ping::get, open;
    GET    "/api/v2.0/health"                                               getHealth                 => health::get, open;
    GET    "/api/v2.0/systeminfo"                                           getSystemInfo             => system::get;
    GET    "/api/v2.0/configurations"                                       getConfigurations         => configuration::get;
    GET    "/api/v2.0/search"                                               search                    => search::get;
    GET    "/api/v2.0/permissions"                                          getPermissions            => permissions::list;

    GET    "/api/v2.0/users"                                                listUsers                 => users::list;
    POST   "/api/v2.0/users"                                                createUser                => users::create, strangers;
    GET    "/api/v2.0/users/search"                                         searchUsers               => users::search;
    GET    "/api/v2.0/users/current"                                        getCurrentUserInfo        => users::current;
    GET    "/api/v2.0/users/current/permissions"                            getCurrentUserPermissions => users::permissions;
    GET    "/api/v2.0/users/{user_id}"                                      getUser                   => users::get;
    PUT    "/api/v2.0/users/{user_id}"                                      updateUserProfile         => users::update;
    DELETE "/api/v2.0/users/{user_id}"                                      deleteUser                => users::delete;
    PUT    "/api/v2.0/users/{user_id}/sysadmin"                             setUserSysAdmin           => users::set_sysadmin;
    PUT    "/api/v2.0/users/{user_id}/password"                             updateUserPassword        => users::set_password;
    PUT    "/api/v2.0/users/{user_id}/cli_secret"                           setCliSecret              => users::set_cli_secret;

    GET    "/api/v2.0/usergroups"                                           listUserGroups            => groups::list;
    POST   "/api/v2.0/usergroups"                                           createUserGroup           => groups::create;
    GET    "/api/v2.0/usergroups/search"                                    searchUserGroups          => groups::search;
    GET    "/api/v2.0/usergroups/{group_id}"                                getUserGroup              => groups::get;
    PUT    "/api/v2.0/usergroups/{group_id}"                                updateUserGroup           => groups::update;
    DELETE "/api/v2.0/usergroups/{group_id}"                                deleteUserGroup           => groups::delete;

    GET    "/api/v2.0/projects"                                             listProjects              => projects::list;
    HEAD   "/api/v2.0/projects"                                             headProject               => projects::head;
    POST   "/api/v2.0/projects"                                             createProject             => projects::create;
    GET    "/api/v2.0/projects/{project_name_or_id}"                        getProject                => projects::get;
    PUT    "/api/v2.0/projects/{project_name_or_id}"                        updateProject             => projects::update;
    DELETE "/api/v2.0/projects/{project_name_or_id}"                        deleteProject             => projects::delete;
    GET    "/api/v2.0/projects/{project_name_or_id}/_deletable"             getProjectDeletable       => projects::deletable;
    GET    "/api/v2.0/projects/{project_name_or_id}/summary"                getProjectSummary         => projects::summary;

    GET    "/api/v2.0/projects/{project_name_or_id}/metadatas/"             listProjectMetadatas      => metadata::list;
    POST   "/api/v2.0/projects/{project_name_or_id}/metadatas/"             addProjectMetadatas       => metadata::add;
    GET    "/api/v2.0/projects/{project_name_or_id}/metadatas/{meta_name}"  getProjectMetadata        => metadata::get;
    PUT    "/api/v2.0/projects/{project_name_or_id}/metadatas/{meta_name}"  updateProjectMetadata     => metadata::update;
    DELETE "/api/v2.0/projects/{project_name_or_id}/metadatas/{meta_name}"  deleteProjectMetadata     => metadata::delete;

    GET    "/api/v2.0/projects/{project_name_or_id}/members"                listProjectMembers        => members::list;
    POST   "/api/v2.0/projects/{project_name_or_id}/members"                createProjectMember       => members::create;
    GET    "/api/v2.0/projects/{project_name_or_id}/members/{mid}"          getProjectMember          => members::get;
    PUT    "/api/v2.0/projects/{project_name_or_id}/members/{mid}"          updateProjectMember       => members::update;
    DELETE "/api/v2.0/projects/{project_name_or_id}/members/{mid}"          deleteProjectMember       => members::delete;

    GET    "/api/v2.0/robots"                                               ListRobot                 => robots::list;
    POST   "/api/v2.0/robots"                                               CreateRobot               => robots::create;
    GET    "/api/v2.0/robots/{robot_id}"                                    GetRobotByID              => robots::get;
    PUT    "/api/v2.0/robots/{robot_id}"                                    UpdateRobot               => robots::update;
    PATCH  "/api/v2.0/robots/{robot_id}"                                    RefreshSec                => robots::refresh;
    DELETE "/api/v2.0/robots/{robot_id}"                                    DeleteRobot               => robots::delete;
};
