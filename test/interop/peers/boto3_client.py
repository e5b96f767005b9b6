"""
boto3 as a client of the signaling service, unchanged. One JSON object on standard input: region, endpoint, ca, accessKeyId,
secretAccessKey, channelName, role (MASTER or VIEWER). One on standard output: what each call returned, or the code of its error.
"""

import json
import sys
from urllib.parse import urlencode

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import botocore.httpsession

asked = json.load(sys.stdin)
keys = {"aws_access_key_id": asked["accessKeyId"], "aws_secret_access_key": asked["secretAccessKey"]}
common = {"region_name": asked["region"], "verify": asked["ca"], **keys}
control = boto3.client("kinesisvideo", endpoint_url=asked["endpoint"], **common)
credentials = botocore.credentials.Credentials(asked["accessKeyId"], asked["secretAccessKey"])
said = {"version": boto3.__version__}


def attempt(name, call):
    try:
        said[name] = call()
    except botocore.exceptions.ClientError as error:
        said[name] = error.response["Error"]["Code"]


def described():
    return control.describe_signaling_channel(ChannelName=asked["channelName"])["ChannelInfo"]["ChannelARN"]


def endpoints(arn):
    wanted = {"Protocols": ["WSS", "HTTPS"], "Role": asked["role"]}
    reply = control.get_signaling_channel_endpoint(ChannelARN=arn, SingleMasterChannelEndpointConfiguration=wanted)
    return {each["Protocol"]: each["ResourceEndpoint"] for each in reply["ResourceEndpointList"]}


def ice_servers(arn, endpoint):
    signaling = boto3.client("kinesis-video-signaling", endpoint_url=endpoint, **common)
    servers = signaling.get_ice_server_config(ChannelARN=arn, Service="TURN")["IceServerList"]
    return [sorted(server) for server in servers]


def storage(arn):
    """This boto3 has no such call yet, so its signer and its session make it."""
    request = botocore.awsrequest.AWSRequest(
        "POST",
        asked["endpoint"] + "/describeMediaStorageConfiguration",
        headers={"content-type": "application/json"},
        data=json.dumps({"ChannelARN": arn}),
    )
    botocore.auth.SigV4Auth(credentials, "kinesisvideo", asked["region"]).add_auth(request)
    response = botocore.httpsession.URLLib3Session(verify=asked["ca"]).send(request.prepare())
    if response.status_code != 200:
        return response.headers["x-amzn-errortype"].split(":")[0]
    return json.loads(response.text)["MediaStorageConfiguration"]["Status"]


def presigned(arn, endpoint):
    parameters = {"X-Amz-ChannelARN": arn}
    if asked["role"] == "VIEWER":
        parameters["X-Amz-ClientId"] = "boto3-script"
    request = botocore.awsrequest.AWSRequest("GET", endpoint + "?" + urlencode(parameters))
    botocore.auth.SigV4QueryAuth(credentials, "kinesisvideo", asked["region"], 299).add_auth(request)
    return request.url


attempt("described", described)
attempt("endpoints", lambda: endpoints(said["described"]))
attempt("iceServers", lambda: ice_servers(said["described"], said["endpoints"]["HTTPS"]))
attempt("storage", lambda: storage(said["described"]))
attempt("presigned", lambda: presigned(said["described"], said["endpoints"]["WSS"]))
attempt("created", lambda: control.create_signaling_channel(ChannelName=asked["channelName"])["ChannelARN"])
attempt("createdOther", lambda: control.create_signaling_channel(ChannelName="another")["ChannelARN"])
attempt("deleted", lambda: control.delete_signaling_channel(ChannelARN=said["described"]) and "yes")
print(json.dumps(said))
