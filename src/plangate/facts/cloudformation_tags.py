"""Which types of CloudFormation have tags.

From the resource schemas that AWS publishes; ``Service:Type,Type`` in order. What is in neither list is newer.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html
"""

from typing import Final


def _types(text: str) -> frozenset[str]:
    return frozenset(
        f"AWS::{service}::{name}"
        for service, _, names in (item.partition(":") for item in text.split())
        for name in names.split(",")
    )


TAGGED: Final = _types("""
    ACMPCA:CertificateAuthority APS:RuleGroupsNamespace,Scraper,Workspace AccessAnalyzer:Analyzer
    AmazonMQ:Broker,Configuration Amplify:App,Branch AmplifyUIBuilder:Component,Form,Theme
    ApiGateway:ApiKey,ClientCertificate,DomainName,RestApi,Stage,UsagePlan,VpcLink
    ApiGatewayV2:Api,DomainName,Stage,VpcLink
    AppConfig:Application,ConfigurationProfile,Deployment,DeploymentStrategy,Environment,Extension
    AppConfig:ExtensionAssociation AppFlow:Flow AppIntegrations:Application,DataIntegration,EventIntegration
    AppMesh:GatewayRoute,Mesh,Route,VirtualGateway,VirtualNode,VirtualRouter,VirtualService
    AppRunner:AutoScalingConfiguration,ObservabilityConfiguration,Service,VpcConnector
    AppRunner:VpcIngressConnection AppStream:AppBlock,AppBlockBuilder,Application,Fleet,ImageBuilder,Stack
    AppSync:GraphQLApi AppTest:TestCase ApplicationInsights:Application
    ApplicationSignals:ServiceLevelObjective Athena:CapacityReservation,DataCatalog,WorkGroup
    AuditManager:Assessment AutoScaling:AutoScalingGroup B2BI:Capability,Partnership,Profile,Transformer
    BCMDataExports:Export Backup:BackupPlan,BackupVault,Framework,ReportPlan,RestoreTestingPlan
    BackupGateway:Hypervisor Batch:ComputeEnvironment,JobDefinition,JobQueue,SchedulingPolicy
    Bedrock:Agent,AgentAlias,Flow,FlowAlias,Guardrail,KnowledgeBase,Prompt
    BillingConductor:BillingGroup,CustomLineItem,PricingPlan,PricingRule Cassandra:Keyspace,Table
    CertificateManager:Certificate Chatbot:MicrosoftTeamsChannelConfiguration,SlackChannelConfiguration
    CleanRooms:AnalysisTemplate,Collaboration,ConfiguredTable,ConfiguredTableAssociation,IdMappingTable
    CleanRooms:IdNamespaceAssociation,Membership,PrivacyBudgetTemplate CleanRoomsML:TrainingDataset
    Cloud9:EnvironmentEC2 CloudFormation:Stack,StackSet CloudFront:Distribution,StreamingDistribution
    CloudTrail:Channel,EventDataStore,Trail CloudWatch:Alarm,CompositeAlarm,InsightRule,MetricStream
    CodeArtifact:Domain,PackageGroup,Repository CodeBuild:Fleet,Project,ReportGroup CodeCommit:Repository
    CodeConnections:Connection CodeDeploy:Application,DeploymentGroup CodeGuruProfiler:ProfilingGroup
    CodeGuruReviewer:RepositoryAssociation CodePipeline:CustomActionType,Pipeline
    CodeStarConnections:Connection,RepositoryLink CodeStarNotifications:NotificationRule
    Cognito:IdentityPool,UserPool Comprehend:DocumentClassifier,Flywheel
    Config:AggregationAuthorization,ConfigurationAggregator,StoredQuery
    Connect:ContactFlow,ContactFlowModule,EvaluationForm,HoursOfOperation,Instance,PhoneNumber,Prompt
    Connect:Queue,QuickConnect,RoutingProfile,Rule,SecurityProfile,TaskTemplate,TrafficDistributionGroup
    Connect:User,UserHierarchyGroup,View ConnectCampaigns:Campaign
    ControlTower:EnabledBaseline,EnabledControl,LandingZone
    CustomerProfiles:CalculatedAttributeDefinition,Domain,EventStream,Integration,ObjectType DAX:Cluster
    DLM:LifecyclePolicy
    DMS:DataProvider,Endpoint,EventSubscription,InstanceProfile,MigrationProject,ReplicationConfig
    DMS:ReplicationInstance,ReplicationSubnetGroup,ReplicationTask
    DataBrew:Dataset,Job,Project,Recipe,Ruleset,Schedule DataPipeline:Pipeline
    DataSync:Agent,LocationAzureBlob,LocationEFS,LocationFSxLustre,LocationFSxONTAP,LocationFSxOpenZFS
    DataSync:LocationFSxWindows,LocationHDFS,LocationNFS,LocationObjectStorage,LocationS3,LocationSMB
    DataSync:StorageSystem,Task DataZone:Domain Deadline:Farm,Fleet,LicenseEndpoint,Queue Detective:Graph
    DeviceFarm:DevicePool,InstanceProfile,NetworkProfile,Project,TestGridProject,VPCEConfiguration
    DocDB:DBCluster,DBClusterParameterGroup,DBInstance,DBSubnetGroup DocDBElastic:Cluster DynamoDB:Table
    EC2:CapacityReservation,CapacityReservationFleet,CarrierGateway,ClientVpnEndpoint,CustomerGateway
    EC2:DHCPOptions,EC2Fleet,EIP,FlowLog,IPAM,IPAMPool,IPAMResourceDiscovery
    EC2:IPAMResourceDiscoveryAssociation,IPAMScope,Instance,InstanceConnectEndpoint,InternetGateway
    EC2:KeyPair,LaunchTemplate,LocalGatewayRouteTable,LocalGatewayRouteTableVPCAssociation
    EC2:LocalGatewayRouteTableVirtualInterfaceGroupAssociation,NatGateway,NetworkAcl
    EC2:NetworkInsightsAccessScope,NetworkInsightsAccessScopeAnalysis,NetworkInsightsAnalysis
    EC2:NetworkInsightsPath,NetworkInterface,PlacementGroup,PrefixList,RouteTable,SecurityGroup,Subnet
    EC2:TrafficMirrorFilter,TrafficMirrorFilterRule,TrafficMirrorSession,TrafficMirrorTarget
    EC2:TransitGateway,TransitGatewayAttachment,TransitGatewayConnect,TransitGatewayMulticastDomain
    EC2:TransitGatewayPeeringAttachment,TransitGatewayRouteTable,TransitGatewayVpcAttachment,VPC
    EC2:VPCPeeringConnection,VPNConnection,VPNGateway,VerifiedAccessEndpoint,VerifiedAccessGroup
    EC2:VerifiedAccessInstance,VerifiedAccessTrustProvider,Volume ECR:PublicRepository,Repository
    ECS:CapacityProvider,Cluster,Service,TaskDefinition,TaskSet EFS:AccessPoint,FileSystem
    EKS:AccessEntry,Addon,Cluster,FargateProfile,IdentityProviderConfig,Nodegroup,PodIdentityAssociation
    EMR:Cluster,Studio,WALWorkspace EMRContainers:VirtualCluster EMRServerless:Application
    ElastiCache:CacheCluster,ParameterGroup,ReplicationGroup,SecurityGroup,ServerlessCache,SubnetGroup
    ElastiCache:User,UserGroup ElasticBeanstalk:Environment ElasticLoadBalancing:LoadBalancer
    ElasticLoadBalancingV2:LoadBalancer,TargetGroup,TrustStore Elasticsearch:Domain
    EntityResolution:IdMappingWorkflow,IdNamespace,MatchingWorkflow,SchemaMapping
    EventSchemas:Discoverer,Registry,Schema Events:EventBus
    Evidently:Experiment,Feature,Launch,Project,Segment FIS:ExperimentTemplate FMS:Policy,ResourceSet
    FSx:DataRepositoryAssociation,FileSystem,Snapshot,StorageVirtualMachine,Volume FinSpace:Environment
    Forecast:Dataset,DatasetGroup FraudDetector:Detector,EntityType,EventType,Label,List,Outcome,Variable
    GameLift:ContainerGroupDefinition,GameServerGroup,GameSessionQueue,Location,MatchmakingConfiguration
    GameLift:MatchmakingRuleSet,Script GammaDilithium:JobDefinition
    GlobalAccelerator:Accelerator,CrossAccountAttachment
    Glue:Crawler,CustomEntityType,DataQualityRuleset,DevEndpoint,Job,MLTransform,Registry,Schema,Trigger
    Glue:Workflow Greengrass:ConnectorDefinition,CoreDefinition,DeviceDefinition,FunctionDefinition,Group
    Greengrass:LoggerDefinition,ResourceDefinition,SubscriptionDefinition
    GreengrassV2:ComponentVersion,Deployment GroundStation:Config,DataflowEndpointGroup,MissionProfile
    GuardDuty:Detector,Filter,IPSet,MalwareProtectionPlan,ThreatIntelSet HealthImaging:Datastore
    HealthLake:FHIRDatastore IAM:OIDCProvider,Role,SAMLProvider,ServerCertificate,User,VirtualMFADevice
    IVS:Channel,EncoderConfiguration,PlaybackKeyPair,PlaybackRestrictionPolicy,RecordingConfiguration
    IVS:Stage,StorageConfiguration,StreamKey IVSChat:LoggingConfiguration,Room
    ImageBuilder:Component,ContainerRecipe,DistributionConfiguration,Image,ImagePipeline,ImageRecipe
    ImageBuilder:InfrastructureConfiguration,LifecyclePolicy,Workflow Inspector:ResourceGroup
    InspectorV2:CisScanConfiguration InternetMonitor:Monitor
    IoT:Authorizer,BillingGroup,CACertificate,CertificateProvider,CustomMetric,Dimension
    IoT:DomainConfiguration,FleetMetric,JobTemplate,MitigationAction,ProvisioningTemplate,RoleAlias
    IoT:ScheduledAudit,SecurityProfile,SoftwarePackage,SoftwarePackageVersion,ThingGroup,ThingType
    IoTAnalytics:Channel,Dataset,Datastore,Pipeline IoTCoreDeviceAdvisor:SuiteDefinition
    IoTEvents:AlarmModel,DetectorModel,Input IoTFleetHub:Application
    IoTFleetWise:Campaign,DecoderManifest,Fleet,ModelManifest,SignalCatalog,Vehicle
    IoTSiteWise:Asset,AssetModel,Dashboard,Gateway,Portal,Project
    IoTTwinMaker:ComponentType,Entity,Scene,SyncJob,Workspace
    IoTWireless:Destination,DeviceProfile,FuotaTask,MulticastGroup,NetworkAnalyzerConfiguration
    IoTWireless:PartnerAccount,ServiceProfile,TaskDefinition,WirelessDevice,WirelessDeviceImportTask
    IoTWireless:WirelessGateway KMS:Key,ReplicaKey KafkaConnect:Connector,CustomPlugin,WorkerConfiguration
    Kendra:DataSource,Faq,Index KendraRanking:ExecutionPlan Kinesis:Stream KinesisAnalyticsV2:Application
    KinesisFirehose:DeliveryStream KinesisVideo:SignalingChannel,Stream Lambda:Function
    LaunchWizard:Deployment Lex:Bot,BotAlias
    Lightsail:Bucket,Certificate,Container,Database,Disk,Distribution,Instance,LoadBalancer
    Location:APIKey,GeofenceCollection,Map,PlaceIndex,RouteCalculator,Tracker
    Logs:Delivery,DeliveryDestination,DeliverySource,LogGroup LookoutEquipment:InferenceScheduler
    M2:Application,Environment MSK:Cluster,Replicator,ServerlessCluster,VpcConnection MWAA:Environment
    Macie:AllowList,CustomDataIdentifier,FindingsFilter ManagedBlockchain:Accessor
    MediaConvert:JobTemplate,Preset,Queue MediaLive:Channel,Input,InputSecurityGroup,Multiplex
    MediaPackage:Asset,Channel,OriginEndpoint,PackagingConfiguration,PackagingGroup
    MediaPackageV2:Channel,ChannelGroup,OriginEndpoint MediaStore:Container
    MediaTailor:Channel,LiveSource,PlaybackConfiguration,SourceLocation,VodSource
    MemoryDB:ACL,Cluster,ParameterGroup,SubnetGroup,User
    Neptune:DBCluster,DBClusterParameterGroup,DBInstance,DBParameterGroup,DBSubnetGroup NeptuneGraph:Graph
    NetworkFirewall:Firewall,FirewallPolicy,RuleGroup,TLSInspectionConfiguration
    NetworkManager:ConnectAttachment,ConnectPeer,CoreNetwork,Device,GlobalNetwork,Link,Site
    NetworkManager:SiteToSiteVpnAttachment,TransitGatewayPeering,TransitGatewayRouteTableAttachment
    NetworkManager:VpcAttachment NimbleStudio:LaunchProfile,StreamingImage,Studio,StudioComponent
    OSIS:Pipeline Oam:Link,Sink
    Omics:AnnotationStore,ReferenceStore,RunGroup,SequenceStore,VariantStore,Workflow
    OpenSearchServerless:Collection OpenSearchService:Domain OpsWorks:Layer,Stack OpsWorksCM:Server
    Organizations:Account,OrganizationalUnit,Policy,ResourcePolicy
    PCAConnectorAD:Connector,DirectoryRegistration,Template Panorama:ApplicationInstance,Package
    PaymentCryptography:Key
    Pinpoint:App,Campaign,EmailTemplate,InAppTemplate,PushTemplate,Segment,SmsTemplate
    PinpointEmail:ConfigurationSet,DedicatedIpPool,Identity Pipes:Pipe
    Proton:EnvironmentAccountConnection,EnvironmentTemplate,ServiceTemplate
    QBusiness:Application,DataSource,Index,Plugin,Retriever,WebExperience QLDB:Ledger,Stream
    QuickSight:Analysis,Dashboard,DataSet,DataSource,Template,Theme,VPCConnection
    RAM:Permission,ResourceShare
    RDS:CustomDBEngineVersion,DBCluster,DBClusterParameterGroup,DBInstance,DBParameterGroup,DBProxy
    RDS:DBProxyEndpoint,DBSecurityGroup,DBSubnetGroup,EventSubscription,Integration,OptionGroup
    RUM:AppMonitor
    Redshift:Cluster,ClusterParameterGroup,ClusterSecurityGroup,ClusterSubnetGroup,EventSubscription
    RedshiftServerless:Namespace,Workgroup RefactorSpaces:Application,Environment,Route,Service
    Rekognition:Collection,StreamProcessor ResilienceHub:App,ResiliencyPolicy ResourceExplorer2:Index,View
    ResourceGroups:Group RoboMaker:Fleet,Robot,RobotApplication,SimulationApplication
    RolesAnywhere:CRL,Profile,TrustAnchor Route53:HealthCheck,HostedZone
    Route53Profiles:Profile,ProfileAssociation Route53RecoveryControl:Cluster,ControlPanel,SafetyRule
    Route53RecoveryReadiness:Cell,ReadinessCheck,RecoveryGroup,ResourceSet
    Route53Resolver:FirewallDomainList,FirewallRuleGroup,FirewallRuleGroupAssociation,OutpostResolver
    Route53Resolver:ResolverEndpoint,ResolverRule
    S3:AccessGrant,AccessGrantsInstance,AccessGrantsLocation,Bucket,StorageLens,StorageLensGroup
    S3Outposts:Bucket
    SES:ContactList,MailManagerAddonInstance,MailManagerAddonSubscription,MailManagerArchive
    SES:MailManagerIngressPoint,MailManagerRelay,MailManagerRuleSet,MailManagerTrafficPolicy SNS:Topic
    SQS:Queue SSM:Document,MaintenanceWindow,Parameter,PatchBaseline SSMContacts:Rotation
    SSMIncidents:ReplicationSet,ResponsePlan SSO:Application,Instance,PermissionSet
    SageMaker:App,AppImageConfig,CodeRepository,DataQualityJobDefinition,Device,DeviceFleet,Domain
    SageMaker:Endpoint,EndpointConfig,FeatureGroup,Image,InferenceComponent,InferenceExperiment
    SageMaker:MlflowTrackingServer,Model,ModelBiasJobDefinition,ModelCard
    SageMaker:ModelExplainabilityJobDefinition,ModelPackage,ModelPackageGroup,ModelQualityJobDefinition
    SageMaker:MonitoringSchedule,NotebookInstance,Pipeline,Project,Space,StudioLifecycleConfig
    SageMaker:UserProfile,Workteam Scheduler:ScheduleGroup SecretsManager:Secret
    SecurityHub:AutomationRule,ConfigurationPolicy,Hub SecurityLake:DataLake,Subscriber
    ServiceCatalog:CloudFormationProduct,CloudFormationProvisionedProduct,Portfolio
    ServiceCatalogAppRegistry:Application,AttributeGroup
    ServiceDiscovery:HttpNamespace,PrivateDnsNamespace,PublicDnsNamespace,Service
    Shield:Protection,ProtectionGroup Signer:SigningProfile StepFunctions:Activity,StateMachine
    Synthetics:Canary,Group SystemsManagerSAP:Application
    Timestream:Database,InfluxDBInstance,ScheduledQuery,Table
    Transfer:Agreement,Certificate,Connector,Profile,Server,User,Workflow VoiceID:Domain
    VpcLattice:AccessLogSubscription,Listener,Rule,Service,ServiceNetwork
    VpcLattice:ServiceNetworkServiceAssociation,ServiceNetworkVpcAssociation,TargetGroup
    WAFv2:IPSet,RegexPatternSet,RuleGroup,WebACL Wisdom:Assistant,AssistantAssociation,KnowledgeBase
    WorkSpaces:ConnectionAlias,Workspace,WorkspacesPool WorkSpacesThinClient:Environment
    WorkSpacesWeb:BrowserSettings,IpAccessSettings,NetworkSettings,Portal,TrustStore
    WorkSpacesWeb:UserAccessLoggingSettings,UserSettings XRay:Group,SamplingRule
""")
"""Types with tags of their own."""

UNTAGGED: Final = _types("""
    ACMPCA:Certificate,CertificateAuthorityActivation,Permission
    ARCZonalShift:AutoshiftObserverNotificationStatus,ZonalAutoshiftConfiguration
    AmazonMQ:ConfigurationAssociation Amplify:Domain
    ApiGateway:Account,Authorizer,BasePathMapping,Deployment,DocumentationPart,DocumentationVersion
    ApiGateway:GatewayResponse,Method,Model,RequestValidator,Resource,UsagePlanKey
    ApiGatewayV2:ApiGatewayManagedOverrides,ApiMapping,Authorizer,Deployment,Integration
    ApiGatewayV2:IntegrationResponse,Model,Route,RouteResponse AppConfig:HostedConfigurationVersion
    AppFlow:Connector,ConnectorProfile
    AppStream:ApplicationEntitlementAssociation,ApplicationFleetAssociation,DirectoryConfig,Entitlement
    AppStream:StackFleetAssociation,StackUserAssociation,User
    AppSync:ApiCache,ApiKey,DataSource,DomainName,DomainNameApiAssociation,FunctionConfiguration
    AppSync:GraphQLSchema,Resolver,SourceApiAssociation ApplicationAutoScaling:ScalableTarget,ScalingPolicy
    Athena:NamedQuery,PreparedStatement
    AutoScaling:LaunchConfiguration,LifecycleHook,ScalingPolicy,ScheduledAction,WarmPool
    AutoScalingPlans:ScalingPlan Backup:BackupSelection,RestoreTestingSelection
    Bedrock:DataSource,FlowVersion,GuardrailVersion,PromptVersion Budgets:Budget,BudgetsAction
    CE:AnomalyMonitor,AnomalySubscription,CostCategory CUR:ReportDefinition CertificateManager:Account
    CloudFormation:CustomResource,HookDefaultVersion,HookTypeConfig,HookVersion,Macro
    CloudFormation:ModuleDefaultVersion,ModuleVersion,PublicTypeVersion,Publisher,ResourceDefaultVersion
    CloudFormation:ResourceVersion,TypeActivation,WaitCondition,WaitConditionHandle
    CloudFront:CachePolicy,CloudFrontOriginAccessIdentity,ContinuousDeploymentPolicy,Function,KeyGroup
    CloudFront:KeyValueStore,MonitoringSubscription,OriginAccessControl,OriginRequestPolicy,PublicKey
    CloudFront:RealtimeLogConfig,ResponseHeadersPolicy CloudTrail:ResourcePolicy
    CloudWatch:AnomalyDetector,Dashboard CodeBuild:SourceCredential CodeDeploy:DeploymentConfig
    CodePipeline:Webhook CodeStar:GitHubRepository CodeStarConnections:SyncConfiguration
    Cognito:IdentityPoolPrincipalTag,IdentityPoolRoleAttachment,LogDeliveryConfiguration,UserPoolClient
    Cognito:UserPoolDomain,UserPoolGroup,UserPoolIdentityProvider,UserPoolResourceServer
    Cognito:UserPoolRiskConfigurationAttachment,UserPoolUICustomizationAttachment,UserPoolUser
    Cognito:UserPoolUserToGroupAttachment
    Config:ConfigRule,ConfigurationRecorder,ConformancePack,DeliveryChannel,OrganizationConfigRule
    Config:OrganizationConformancePack,RemediationConfiguration
    Connect:ApprovedOrigin,InstanceStorageConfig,IntegrationAssociation,PredefinedAttribute,SecurityKey
    Connect:ViewVersion DAX:ParameterGroup,SubnetGroup DMS:Certificate
    DataZone:DataSource,Environment,EnvironmentBlueprintConfiguration,EnvironmentProfile,GroupProfile
    DataZone:Project,ProjectMembership,SubscriptionTarget,UserProfile
    Deadline:MeteredProduct,Monitor,QueueEnvironment,QueueFleetAssociation,StorageProfile
    Detective:MemberInvitation,OrganizationAdmin
    DevOpsGuru:LogAnomalyDetectionIntegration,NotificationChannel,ResourceCollection
    DirectoryService:MicrosoftAD,SimpleAD DocDB:EventSubscription DynamoDB:GlobalTable
    EC2:ClientVpnAuthorizationRule,ClientVpnRoute,ClientVpnTargetNetworkAssociation,EIPAssociation
    EC2:EgressOnlyInternetGateway,EnclaveCertificateIamRoleAssociation,GatewayRouteTableAssociation,Host
    EC2:IPAMAllocation,IPAMPoolCidr,LocalGatewayRoute,NetworkAclEntry,NetworkInterfaceAttachment
    EC2:NetworkInterfacePermission,NetworkPerformanceMetricSubscription,Route,SecurityGroupEgress
    EC2:SecurityGroupIngress,SnapshotBlockPublicAccess,SpotFleet,SubnetCidrBlock
    EC2:SubnetNetworkAclAssociation,SubnetRouteTableAssociation,TransitGatewayMulticastDomainAssociation
    EC2:TransitGatewayMulticastGroupMember,TransitGatewayMulticastGroupSource,TransitGatewayRoute
    EC2:TransitGatewayRouteTableAssociation,TransitGatewayRouteTablePropagation,VPCCidrBlock
    EC2:VPCDHCPOptionsAssociation,VPCEndpoint,VPCEndpointConnectionNotification,VPCEndpointService
    EC2:VPCEndpointServicePermissions,VPCGatewayAttachment,VPNConnectionRoute,VPNGatewayRoutePropagation
    EC2:VolumeAttachment
    ECR:PullThroughCacheRule,RegistryPolicy,ReplicationConfiguration,RepositoryCreationTemplate
    ECS:ClusterCapacityProviderAssociations,PrimaryTaskSet EFS:MountTarget
    EMR:InstanceFleetConfig,InstanceGroupConfig,SecurityConfiguration,Step,StudioSessionMapping
    ElastiCache:GlobalReplicationGroup,SecurityGroupIngress
    ElasticBeanstalk:Application,ApplicationVersion,ConfigurationTemplate
    ElasticLoadBalancingV2:Listener,ListenerCertificate,ListenerRule,TrustStoreRevocation
    EntityResolution:PolicyStatement EventSchemas:RegistryPolicy
    Events:ApiDestination,Archive,Connection,Endpoint,EventBusPolicy,Rule FIS:TargetAccountConfiguration
    FMS:NotificationChannel GameLift:Alias,Build,Fleet GlobalAccelerator:EndpointGroup,Listener
    Glue:Classifier,Connection,DataCatalogEncryptionSettings,Database,Partition,SchemaVersion
    Glue:SchemaVersionMetadata,SecurityConfiguration,Table,TableOptimizer Grafana:Workspace
    Greengrass:ConnectorDefinitionVersion,CoreDefinitionVersion,DeviceDefinitionVersion
    Greengrass:FunctionDefinitionVersion,GroupVersion,LoggerDefinitionVersion,ResourceDefinitionVersion
    Greengrass:SubscriptionDefinitionVersion GuardDuty:Master,Member,PublishingDestination
    IAM:AccessKey,Group,GroupPolicy,InstanceProfile,ManagedPolicy,Policy,RolePolicy,ServiceLinkedRole
    IAM:UserPolicy,UserToGroupAddition IdentityStore:Group,GroupMembership
    Inspector:AssessmentTarget,AssessmentTemplate InspectorV2:Filter
    IoT:AccountAuditConfiguration,Certificate,Logging,Policy,PolicyPrincipalAttachment
    IoT:ResourceSpecificLogging,Thing,ThingPrincipalAttachment,TopicRule,TopicRuleDestination
    IoT1Click:Device,Placement,Project IoTSiteWise:AccessPolicy IoTThingsGraph:FlowTemplate KMS:Alias
    Kinesis:StreamConsumer KinesisAnalytics:Application,ApplicationOutput,ApplicationReferenceDataSource
    KinesisAnalyticsV2:ApplicationCloudWatchLoggingOption,ApplicationOutput
    KinesisAnalyticsV2:ApplicationReferenceDataSource
    LakeFormation:DataCellsFilter,DataLakeSettings,Permissions,PrincipalPermissions,Resource,Tag
    LakeFormation:TagAssociation
    Lambda:Alias,CodeSigningConfig,EventInvokeConfig,EventSourceMapping,LayerVersion
    Lambda:LayerVersionPermission,Permission,Url,Version Lex:BotVersion,ResourcePolicy
    LicenseManager:Grant,License Lightsail:Alarm,LoadBalancerTlsCertificate,StaticIp
    Location:TrackerConsumer
    Logs:AccountPolicy,Destination,LogAnomalyDetector,LogStream,MetricFilter,QueryDefinition
    Logs:ResourcePolicy,SubscriptionFilter LookoutMetrics:Alert,AnomalyDetector LookoutVision:Project
    MSK:BatchScramSecret,ClusterPolicy,Configuration Macie:Session ManagedBlockchain:Member,Node
    MediaConnect:Bridge,BridgeOutput,BridgeSource,Flow,FlowEntitlement,FlowOutput,FlowSource
    MediaConnect:FlowVpcInterface,Gateway MediaLive:Multiplexprogram
    MediaPackageV2:ChannelPolicy,OriginEndpointPolicy MediaTailor:ChannelPolicy Neptune:EventSubscription
    NeptuneGraph:PrivateGraphEndpoint NetworkFirewall:LoggingConfiguration
    NetworkManager:CustomerGatewayAssociation,LinkAssociation,TransitGatewayRegistration
    OpenSearchServerless:AccessPolicy,LifecyclePolicy,SecurityConfig,SecurityPolicy,VpcEndpoint
    OpsWorks:App,ElasticLoadBalancerAttachment,Instance,UserProfile,Volume Organizations:Organization
    PCAConnectorAD:ServicePrincipalName,TemplateGroupAccessControlEntry Panorama:PackageVersion
    PaymentCryptography:Alias Personalize:Dataset,DatasetGroup,Schema,Solution
    Pinpoint:ADMChannel,APNSChannel,APNSSandboxChannel,APNSVoipChannel,APNSVoipSandboxChannel
    Pinpoint:ApplicationSettings,BaiduChannel,EmailChannel,EventStream,GCMChannel,SMSChannel,VoiceChannel
    PinpointEmail:ConfigurationSetEventDestination QuickSight:RefreshSchedule,Topic
    RDS:DBProxyTargetGroup,DBSecurityGroupIngress,GlobalCluster
    Redshift:ClusterSecurityGroupIngress,EndpointAccess,EndpointAuthorization,ScheduledAction
    Rekognition:Project ResourceExplorer2:DefaultViewAssociation
    RoboMaker:RobotApplicationVersion,SimulationApplicationVersion
    Route53:CidrCollection,DNSSEC,KeySigningKey,RecordSet,RecordSetGroup
    Route53Profiles:ProfileResourceAssociation Route53RecoveryControl:RoutingControl
    Route53Resolver:ResolverConfig,ResolverDNSSECConfig,ResolverQueryLoggingConfig
    Route53Resolver:ResolverQueryLoggingConfigAssociation,ResolverRuleAssociation
    S3:AccessPoint,BucketPolicy,MultiRegionAccessPoint,MultiRegionAccessPointPolicy
    S3Express:BucketPolicy,DirectoryBucket S3ObjectLambda:AccessPoint,AccessPointPolicy
    S3Outposts:AccessPoint,BucketPolicy,Endpoint SDB:Domain
    SES:ConfigurationSet,ConfigurationSetEventDestination,DedicatedIpPool,EmailIdentity,ReceiptFilter
    SES:ReceiptRule,ReceiptRuleSet,Template,VdmAttributes SNS:Subscription,TopicInlinePolicy,TopicPolicy
    SQS:QueueInlinePolicy,QueuePolicy
    SSM:Association,MaintenanceWindowTarget,MaintenanceWindowTask,ResourceDataSync,ResourcePolicy
    SSMContacts:Contact,ContactChannel,Plan SSMGuiConnect:Preferences
    SSO:ApplicationAssignment,Assignment,InstanceAccessControlAttributeConfiguration
    SageMaker:ImageVersion,NotebookInstanceLifecycleConfig Scheduler:Schedule
    SecretsManager:ResourcePolicy,RotationSchedule,SecretTargetAttachment
    SecurityHub:DelegatedAdmin,FindingAggregator,Insight,OrganizationConfiguration,PolicyAssociation
    SecurityHub:ProductSubscription,SecurityControl,Standard
    SecurityLake:AwsLogSource,SubscriberNotification
    ServiceCatalog:AcceptedPortfolioShare,LaunchNotificationConstraint,LaunchRoleConstraint
    ServiceCatalog:LaunchTemplateConstraint,PortfolioPrincipalAssociation,PortfolioProductAssociation
    ServiceCatalog:PortfolioShare,ResourceUpdateConstraint,ServiceAction,ServiceActionAssociation
    ServiceCatalog:StackSetConstraint,TagOption,TagOptionAssociation
    ServiceCatalogAppRegistry:AttributeGroupAssociation,ResourceAssociation ServiceDiscovery:Instance
    Shield:DRTAccess,ProactiveEngagement Signer:ProfilePermission SimSpaceWeaver:Simulation
    StepFunctions:StateMachineAlias,StateMachineVersion
    SupportApp:AccountAlias,SlackChannelConfiguration,SlackWorkspaceConfiguration
    VerifiedPermissions:IdentitySource,Policy,PolicyStore,PolicyTemplate
    VpcLattice:AuthPolicy,ResourcePolicy
    WAF:ByteMatchSet,IPSet,Rule,SizeConstraintSet,SqlInjectionMatchSet,WebACL,XssMatchSet
    WAFRegional:ByteMatchSet,GeoMatchSet,IPSet,RateBasedRule,RegexPatternSet,Rule,SizeConstraintSet
    WAFRegional:SqlInjectionMatchSet,WebACL,WebACLAssociation,XssMatchSet
    WAFv2:LoggingConfiguration,WebACLAssociation WorkSpacesWeb:IdentityProvider XRay:ResourcePolicy
""")
"""Types without."""
